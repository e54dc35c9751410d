import os
import pickle
import struct

import numpy as np
import pytest

from tests.data.records.sources import jpeg
from xcos_tf.data.records.insightface_bin import BinSource
from xcos_tf.errors import XcosError

IMAGES = [jpeg(i) for i in range(6)]
SAME = [True, False, True]


def write(path, content, protocol=4):
    path.write_bytes(pickle.dumps(content, protocol=protocol))
    return path


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("images", ["bytes", "arrays"])
@pytest.mark.parametrize("same", ["list", "scalars", "array"])
def test_every_protocol(tmp_path, protocol, images, same):
    stored = IMAGES if images == "bytes" else [np.frombuffer(x, np.uint8) for x in IMAGES]
    truth = {"list": SAME, "scalars": list(np.array(SAME)), "array": np.array(SAME)}[same]
    source = BinSource(write(tmp_path / "lfw.bin", (stored, truth), protocol))
    records = list(source.read(0, len(source)))
    assert [r.image for r in records] == IMAGES
    assert [r.label for r in records] == [0, 0, 1, 1, 2, 2]
    assert [r.name for r in records] == list("012345")
    assert source.pairs.first.tolist() == [0, 2, 4]
    assert source.pairs.second.tolist() == [1, 3, 5]
    assert source.pairs.same.tolist() == SAME
    assert source.people == []


def python_2_string(data):
    return b"T" + struct.pack("<i", len(data)) + data


def test_strings_of_python_2(tmp_path):
    # ([str, str], [True]) at protocol 2, opcode by opcode: Python 3 cannot write it.
    content = b"\x80\x02](" + b"".join(map(python_2_string, IMAGES[:2])) + b"e](\x88e\x86."
    (tmp_path / "lfw.bin").write_bytes(content)
    source = BinSource(tmp_path / "lfw.bin")
    assert [r.image for r in source.read(0, 2)] == IMAGES[:2]


def test_arrays_of_python_2(tmp_path):
    # numpy.core.multiarray._reconstruct(ndarray, (0,), "b") with its state, for each of two images.
    def array(data):
        return (
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(K\x00tU\x01btR"
            b"(K\x01(M" + struct.pack("<H", len(data)) + b"tcnumpy\ndtype\n(U\x02u1K\x00K\x01tR"
            b"(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb\x89"
            + python_2_string(data)
            + b"tb"
        )

    content = b"\x80\x02](" + b"".join(map(array, IMAGES[:2])) + b"e](\x89e\x86."
    (tmp_path / "lfw.bin").write_bytes(content)
    source = BinSource(tmp_path / "lfw.bin")
    assert [r.image for r in source.read(0, 2)] == IMAGES[:2]
    assert source.pairs.same.tolist() == [False]


class Attack:
    def __init__(self, function, *arguments):
        self._call = function, arguments

    def __reduce__(self):
        return self._call


@pytest.mark.parametrize(
    "attack, name",
    [
        (Attack(os.system, "touch {}"), "posix.system"),
        (Attack(eval, "open('{}', 'w')"), "builtins.eval"),
        (Attack(getattr, "x", "upper"), "builtins.getattr"),
        (Attack(np.load, "{}"), "numpy.load"),
    ],
)
@pytest.mark.parametrize("protocol", [0, 2, 4])
def test_an_attack_is_refused_before_it_runs(tmp_path, attack, name, protocol):
    trace = tmp_path / "trace"
    function, arguments = attack.__reduce__()
    attack = Attack(function, *(x.format(trace) for x in arguments))
    path = write(tmp_path / "lfw.bin", ([*IMAGES[:5], attack], SAME), protocol)
    with pytest.raises(XcosError, match="could be an attack; do not use this file"):
        BinSource(path)
    assert not trace.exists()


def test_names_with_dots_reach_nothing(tmp_path):
    # Protocol 4 may ask for "ndarray.tofile.__class__" and the like of an allowed name.
    content = b"\x80\x04\x8c\x05numpy\x8c\x0endarray.tofile\x93."
    (tmp_path / "lfw.bin").write_bytes(content)
    with pytest.raises(XcosError, match=r"asks for numpy.ndarray.tofile"):
        BinSource(tmp_path / "lfw.bin")


def test_other_encodings_are_refused(tmp_path):
    content = b"\x80\x02c_codecs\nencode\nX\x01\x00\x00\x00aX\x05\x00\x00\x00rot13\x86R."
    (tmp_path / "lfw.bin").write_bytes(content)
    with pytest.raises(XcosError, match="other than latin1"):
        BinSource(tmp_path / "lfw.bin")


@pytest.mark.parametrize(
    "content, sentence",
    [
        ((IMAGES, SAME[:2]), "6 images and 2 truth values, not two images for each"),
        (([], []), "0 images and 0 truth values"),
        ((IMAGES, ["yes"] * 3), "truth value 0 of .* is neither true nor false"),
        (IMAGES, "does not hold a list of images and one of truth values"),
        ("text", "does not hold a list"),
        ((IMAGES, np.array([1.0, 0.0, 1.0])), "does not hold a list"),
        ((IMAGES, list(np.array([1.0, 0.0, 1.0]))), "a number where a truth value should be"),
    ],
)
def test_other_contents(tmp_path, content, sentence):
    with pytest.raises(XcosError, match=sentence):
        BinSource(write(tmp_path / "x.bin", content))


def test_images_of_another_type_are_left_empty(tmp_path):
    odd = [None, np.zeros(3), "text", np.array([b"object"], object), *IMAGES[:2]]
    source = BinSource(write(tmp_path / "x.bin", (odd, SAME)))
    assert [r.image for r in source.read(0, 6)] == [b""] * 4 + IMAGES[:2]


def test_a_file_cut_short(tmp_path):
    path = write(tmp_path / "x.bin", (IMAGES, SAME))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(XcosError, match=r"is not an InsightFace .bin set or is damaged"):
        BinSource(path)


def test_no_file(tmp_path):
    with pytest.raises(XcosError, match="cannot be read"):
        BinSource(tmp_path / "x.bin")
