"""Hostile pickles; each attack is first shown to work on Python's own unpickler."""

import copyreg
import pickle
import struct
import time
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from xcos_tf.data.records.insightface_bin import load_bin
from xcos_tf.errors import XcosError

TRACE = Path()


@pytest.fixture(autouse=True)
def trace(tmp_path, monkeypatch) -> Path:
    """The file that an attack which runs leaves behind."""
    monkeypatch.setattr(f"{__name__}.TRACE", tmp_path / "trace")
    return tmp_path / "trace"


def leave_trace(*_):
    TRACE.touch()


class OnNew:
    def __new__(cls, *_, **__):
        leave_trace()
        return super().__new__(cls)


class OnState:
    def __setstate__(self, state):
        leave_trace()


class OnAppend:
    def append(self, item):
        leave_trace()

    def extend(self, items):
        leave_trace()

    def __setitem__(self, key, value):
        leave_trace()


def text(string: str) -> bytes:
    return b"X" + struct.pack("<I", len(string)) + string.encode()


def name(function) -> bytes:
    """Return the instruction GLOBAL for a function or class of this module."""
    return f"c{__name__}\n{function.__name__}\n".encode()


def touch(path: Path) -> bytes:
    return text(f"touch {path}")


def opening(path: Path) -> bytes:
    return text(f"open({str(path)!r}, 'w')")


ATTACKS = {
    "REDUCE": lambda path: b"cposix\nsystem\n" + touch(path) + b"\x85R.",
    "builtins.eval": lambda path: b"cbuiltins\neval\n" + opening(path) + b"\x85R.",
    "__builtin__.eval": lambda path: b"c__builtin__\neval\n" + opening(path) + b"\x85R.",
    "STACK_GLOBAL": lambda path: (
        b"\x80\x04" + text("posix") + text("system") + b"\x93" + touch(path) + b"\x85R."
    ),
    "INST": lambda path: b"(" + touch(path) + b"iposix\nsystem\n.",
    "OBJ": lambda path: b"(cposix\nsystem\n" + touch(path) + b"o.",
    "NEWOBJ": lambda _: b"\x80\x02" + name(OnNew) + b")\x81.",
    "NEWOBJ_EX": lambda _: b"\x80\x04" + name(OnNew) + b")}\x92.",
    "BUILD": lambda _: b"\x80\x02" + name(OnState) + b")RNb.",
    "APPEND": lambda _: b"\x80\x02" + name(OnAppend) + b")RNa.",
    "APPENDS": lambda _: b"\x80\x02" + name(OnAppend) + b")R(Ne.",
    "SETITEM": lambda _: b"\x80\x02" + name(OnAppend) + b")RNNs.",
    "EXT1": lambda _: b"\x80\x02\x82\x7b)R.",
    "EXT2": lambda _: b"\x80\x02\x83\x7b\x00)R.",
    "EXT4": lambda _: b"\x80\x02\x84\x7b\x00\x00\x00)R.",
    "a pickle in the pickle": lambda path: (
        b"\x80\x03c_pickle\nloads\nC"
        + struct.pack("<B", len(ATTACKS["REDUCE"](path)))
        + ATTACKS["REDUCE"](path)
        + b"\x85R."
    ),
}


@pytest.fixture
def extension():
    copyreg.add_extension(__name__, "leave_trace", 0x7B)
    yield
    copyreg.remove_extension(__name__, "leave_trace", 0x7B)


@pytest.mark.parametrize("kind", ATTACKS)
def test_an_attack_that_works_elsewhere_does_not_run_here(tmp_path, trace, extension, kind):
    content = ATTACKS[kind](trace)
    pickle.loads(content)
    assert trace.exists()
    trace.unlink()
    for attack in (content, b"(" + content[:-1] + b"l."):  # alone, and among images
        (tmp_path / "x.bin").write_bytes(attack)
        with pytest.raises(XcosError, match="could be an attack; do not use this file"):
            load_bin(tmp_path / "x.bin")
    assert not trace.exists()


@pytest.mark.parametrize(
    "content",
    [
        b"P1\n.",  # PERSID
        b"K\x01Q.",  # BINPERSID
        b"\x80\x05\x97.",  # NEXT_BUFFER
        b"}.",  # EMPTY_DICT
        b"\x80\x04\x8f.",  # EMPTY_SET
    ],
)
def test_other_instructions_are_refused(tmp_path, content):
    (tmp_path / "x.bin").write_bytes(content)
    with pytest.raises(XcosError, match=r"has the instruction \w+, which no set of images needs"):
        load_bin(tmp_path / "x.bin")


@pytest.mark.parametrize("target", [b"c_codecs\nencode\n", b"cnumpy.core.multiarray\nscalar\n"])
@pytest.mark.parametrize("state", [b"N", b"(NNt", b"](K\x01K\x02e"])
def test_what_stands_in_takes_no_state(tmp_path, target, state):
    (tmp_path / "x.bin").write_bytes(b"\x80\x02" + target + state + b"b.")
    with pytest.raises(XcosError, match="a state for a function"):
        load_bin(tmp_path / "x.bin")


def test_nothing_of_one_file_is_left_for_the_next(tmp_path):
    for target in (b"cnumpy\nndarray\n", b"cnumpy\ndtype\n"):
        (tmp_path / "x.bin").write_bytes(b"\x80\x02" + target + b"(NNtb.")
        with pytest.raises(XcosError):
            load_bin(tmp_path / "x.bin")
    images = [np.frombuffer(b"abc", np.uint8), np.frombuffer(b"de", np.uint8)]
    (tmp_path / "x.bin").write_bytes(pickle.dumps((images, [np.True_]), protocol=2))
    assert load_bin(tmp_path / "x.bin") == ([b"abc", b"de"], [True])


@pytest.mark.parametrize(
    "content",
    [
        b"\x80\x02]r\xff\xff\xff\x00.",  # LONG_BINPUT: 134 MB of memo
        b"](lp9000000\n.",  # PUT: 72 MB
        b"]q\xff.",  # BINPUT
        b"\x80\x04\x8e" + struct.pack("<Q", 1 << 29) + b".",  # BINBYTES8
        b"\x80\x04\x8d" + struct.pack("<Q", 1 << 29) + b".",  # BINUNICODE8
        b"\x80\x05\x96" + struct.pack("<Q", 1 << 29) + b".",  # BYTEARRAY8
        b"B" + struct.pack("<I", 1 << 29) + b".",  # BINBYTES
        b"T" + struct.pack("<I", 1 << 29) + b".",  # BINSTRING
        b"\x8b" + struct.pack("<I", 1 << 29) + b".",  # LONG4
        b"\x80\x04\x95" + struct.pack("<Q", 1 << 29) + b"].",  # FRAME
    ],
)
def test_a_small_file_takes_little_memory(tmp_path, content):
    (tmp_path / "x.bin").write_bytes(content)
    tracemalloc.start()
    with pytest.raises(XcosError):
        load_bin(tmp_path / "x.bin")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 5_000_000


def test_text_is_not_made_into_bytes_again_and_again(tmp_path):
    encode = b"c_codecs\nencode\n" + text("x" * 100_000) + b"q\x01" + text("latin1") + b"\x86R"
    again = b"c_codecs\nencode\nh\x01" + text("latin1") + b"\x86R"
    once = b"\x80\x02](" + encode + b"C\x01ye](\x88e\x86."
    (tmp_path / "x.bin").write_bytes(once)
    assert load_bin(tmp_path / "x.bin") == ([b"x" * 100_000, b"y"], [True])
    (tmp_path / "x.bin").write_bytes(b"\x80\x02](" + encode + 999 * again + b"e](" + b"\x88e\x86.")
    with pytest.raises(XcosError, match="makes more bytes than it holds"):
        load_bin(tmp_path / "x.bin")


@pytest.mark.parametrize("kind", [bytes, bytearray, "array"])
def test_one_image_many_times_is_one_object(tmp_path, kind):
    image = np.zeros(1000, np.uint8) if kind == "array" else kind(1000)
    (tmp_path / "x.bin").write_bytes(pickle.dumps(([image] * 200, [True] * 100), protocol=5))
    images, _ = load_bin(tmp_path / "x.bin")
    assert images == [bytes(1000)] * 200
    assert len(set(map(id, images))) == 1


def python_2(images: list[bytes], same: list[bool], arrays: bool = False) -> bytes:
    """Return what Python 2's `pickle.dump((images, same), file)` wrote: protocol 0."""

    def string(content: bytes) -> bytes:
        return b"S" + repr(content)[1:].encode() + b"\n"

    def array(content: bytes) -> bytes:
        return (
            b"cnumpy.core.multiarray\n_reconstruct\n(cnumpy\nndarray\n(I0\nt"
            + string(b"b")
            + b"tR(I1\n(I%d\ntcnumpy\ndtype\n(" % len(content)
            + string(b"u1")
            + b"I0\nI1\ntR(I3\n"
            + string(b"|")
            + b"NNNI-1\nI-1\nI0\ntbI00\n"
            + string(content)
            + b"tb"
        )

    make = array if arrays else string
    listed = b"".join(make(image) + b"p%d\na" % n for n, image in enumerate(images, 3))
    truth = b"".join(b"I0%d\na" % value for value in same)
    return b"((lp1\n" + listed + b"(lp2\n" + truth + b"tp0\n."


@pytest.mark.parametrize("arrays", [False, True])
def test_python_2_and_its_default_protocol(arrays, tmp_path):
    images = [bytes(range(256)), b"\xff\xd8'\"\\\n\r", b"it's", b"\x00"]
    path = tmp_path / "old.bin"
    path.write_bytes(python_2(images, [True, False], arrays))
    assert pickle.loads(python_2(images, [True, False]), encoding="bytes") == (
        images,
        [True, False],
    )
    assert load_bin(path) == (images, [True, False])


@pytest.mark.parametrize("content", [b"N" * 30_000_000 + b".", b"(" * 3_000_000 + b"t."])
def test_a_flood_of_instructions_is_refused_soon(content, tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    start = time.process_time()
    with pytest.raises(XcosError, match="more than 2,000,000 instructions"):
        load_bin(path)
    assert time.process_time() - start < 6


@pytest.mark.parametrize("content", [b"", b"(", b"S'a'\n", b"\xff.", b"S'a", b"I1\nI", b"S\n."])
def test_instructions_that_end_early(content, tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    with pytest.raises(XcosError, match=r"is not an InsightFace \.bin set or is damaged"):
        load_bin(path)
