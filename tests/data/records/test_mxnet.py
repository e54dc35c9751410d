import struct

import pytest

from tests.data.records.sources import (
    MAGIC,
    insightface_records,
    jpeg,
    pack,
    write_mxnet,
)
from xcos_tf.data.records.mxnet import MxnetSource
from xcos_tf.errors import XcosError

IMAGES = [(0, jpeg(0)), (0, jpeg(1)), (1, b"head" + MAGIC * 2 + b"x"), (2, jpeg(2)), (2, jpeg(3))]


def contents(source):
    return [(r.name, r.label, r.image, r.problem) for r in source.read(0, len(source))]


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize("people", [3, None])
def test_with_header_and_identity_records(tmp_path, index, people):
    write_mxnet(tmp_path, insightface_records(IMAGES), index, people)
    source = MxnetSource(tmp_path / "train.rec")
    assert source.people == ["0", "1", "2"]
    assert contents(source) == [
        (str(key), label, image, None) for key, (label, image) in enumerate(IMAGES, 1)
    ]


@pytest.mark.parametrize("index", [True, False])
def test_without_header_and_with_several_labels(tmp_path, index):
    records = [pack([10.0, 5.0], jpeg(0)), pack(4.0, jpeg(1)), pack([10.0], jpeg(2))]
    write_mxnet(tmp_path, records, index)
    source = MxnetSource(tmp_path / "train.rec")
    assert source.people == ["4", "10"]
    assert contents(source) == [
        ("0", 1, jpeg(0), None),
        ("1", 0, jpeg(1), None),
        ("2", 1, jpeg(2), None),
    ]


def test_property_keeps_labels_as_they_are(tmp_path):
    write_mxnet(tmp_path, [pack(4.0, jpeg(0)), pack(6.0, jpeg(1))], people=6)
    source = MxnetSource(tmp_path / "train.rec")
    assert source.people == ["0", "1", "2", "3", "4", "5"]
    first, second = source.read(0, 2)
    assert (first.label, first.problem) == (4, None)
    assert second.problem == "its label is not one of the set's people"


@pytest.mark.parametrize("label", [-1.0, 0.5, float("nan"), float("inf"), 3e9])
def test_bad_labels(tmp_path, label):
    write_mxnet(tmp_path, [pack(4.0, jpeg(0)), pack(label, jpeg(1))])
    source = MxnetSource(tmp_path / "train.rec")
    assert source.people == ["4"]
    assert [r.problem for r in source.read(0, 2)] == [
        None,
        "its label is not one of the set's people",
    ]


@pytest.mark.parametrize("index", [True, False])
def test_a_truncated_file(tmp_path, index):
    positions = write_mxnet(tmp_path, insightface_records(IMAGES), index)
    path = tmp_path / "train.rec"
    path.write_bytes(path.read_bytes()[: positions[4] + 100])  # within the fourth image
    faults = {r.name: r.problem for r in MxnetSource(path).read(0, 5)}
    assert list(faults) == ["1", "2", "3", "4", "5"]
    assert [faults[key] for key in "123"] == [None] * 3
    assert faults["4"] == "cut short or corrupt: the file ends within it"
    gone = "cut short or corrupt: the file ends before it"
    assert faults["5"] == (gone if index else "missing, though the set's header counts it")


@pytest.mark.parametrize("index", [True, False])
@pytest.mark.parametrize(
    "at, word, reason",
    [
        (0, 0xBAD, "no record starts where it should"),
        (4, 1 << 28, "the file ends within it"),
        (4, 3 << 29 | 20, "its parts do not fit together"),
        (4, 20, "shorter than a record's header"),
        (8, 1 << 20, "shorter than its header says"),
    ],
)
def test_a_corrupt_record_costs_no_other(tmp_path, index, at, word, reason):
    positions = write_mxnet(tmp_path, insightface_records(IMAGES), index)
    path = tmp_path / "train.rec"
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, positions[2] + at, word)
    path.write_bytes(content)
    good, bad = [], []
    source = MxnetSource(path)
    for record in source.read(0, len(source)):
        (bad if record.problem else good).append(record)
    assert [(r.label, r.image) for r in good] == [IMAGES[i] for i in (0, 2, 3, 4)]
    assert bad[0].name == "2"
    assert reason in bad[0].problem


@pytest.mark.parametrize("index", [True, False])
def test_a_length_that_swallows_the_next_record(tmp_path, index):
    records = insightface_records(IMAGES)
    positions = write_mxnet(tmp_path, records, index)
    path = tmp_path / "train.rec"
    content = bytearray(path.read_bytes())
    struct.pack_into("<I", content, positions[1] + 4, len(records[1]) + 16)
    path.write_bytes(content)
    found = contents(MxnetSource(path))
    assert [(label, image) for _, label, image, fault in found if not fault] == IMAGES[1:]
    assert found[0][3] == "cut short or corrupt: it runs into the next one"


def test_order_is_that_of_the_file_and_keys_that_of_the_index(tmp_path):
    positions = write_mxnet(tmp_path, [pack(1.0, jpeg(0)), pack(2.0, jpeg(1))])
    (tmp_path / "train.idx").write_text(f"3\t{positions[1]}\n8\t{positions[0]}\n\n")
    source = MxnetSource(tmp_path / "train.rec")
    assert [(r.name, r.image) for r in source.read(0, 2)] == [("8", jpeg(0)), ("3", jpeg(1))]


def test_a_stretch(tmp_path):
    write_mxnet(tmp_path, [pack(1.0, jpeg(i)) for i in range(5)])
    source = MxnetSource(tmp_path / "train.rec")
    assert [r.image for r in source.read(2, 4)] == [jpeg(2), jpeg(3)]


def test_fingerprint_tells_sets_apart(tmp_path):
    prints = set()
    for number, labels in enumerate([(1, 2), (2, 1), (1, 2, 2)]):
        folder = tmp_path / str(number)
        write_mxnet(folder, [pack(float(x), b"image") for x in labels])
        prints.add(MxnetSource(folder / "train.rec").fingerprint)
        assert MxnetSource(folder / "train.rec").fingerprint in prints
    assert len(prints) == 3


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        ("property", "many,112,112", "must start with the number of people"),
        ("property", "0,112,112", "must start with the number of people"),
        ("train.idx", "0\t0\none\ttwo\n", "line 2 of .*train.idx must be a key and a position"),
        ("train.rec", "", "holds no image record"),
    ],
)
def test_malformed_files(tmp_path, name, content, sentence):
    write_mxnet(tmp_path, [pack(1.0, jpeg(0))], index=False)
    (tmp_path / name).write_text(content)
    with pytest.raises(XcosError, match=sentence):
        MxnetSource(tmp_path / "train.rec")


def test_a_header_gone_wrong_is_not_believed(tmp_path):
    write_mxnet(tmp_path, [pack([1e30, 2e30]), pack(1.0, jpeg(0))], index=False)
    source = MxnetSource(tmp_path / "train.rec")
    assert len(source) == 1
