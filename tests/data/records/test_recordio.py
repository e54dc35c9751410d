import os
import struct

import pytest

from tests.data.records.sources import MAGIC, frame, pack
from xcos_tf.data.records.recordio import (
    DamagedRecord,
    find_record,
    glance,
    image_of,
    read_record,
)


@pytest.fixture
def opened(tmp_path):
    """Write bytes to a file and return its descriptor and size."""
    files = []

    def write(content):
        path = tmp_path / f"{len(files)}.rec"
        path.write_bytes(content)
        files.append(os.open(path, os.O_RDONLY))
        return files[-1], len(content)

    yield write
    for file in files:
        os.close(file)


def test_a_frame_by_hand(opened):
    content = bytes.fromhex("0a23d7ce 05000000 6162636465 000000 0a23d7ce 00000000")
    file, size = opened(content)
    assert read_record(file, 0, size) == (b"abcde", 16)
    assert read_record(file, 16, size) == (b"", 24)


def test_parts_by_hand(opened):
    # "abcd" magic magic "e": the magic words at 4 and 8 part the record in three.
    content = bytes.fromhex(
        "0a23d7ce 04000020 61626364 0a23d7ce 00000040 0a23d7ce 01000060 65 000000"
    )
    file, size = opened(content)
    assert read_record(file, 0, size) == (b"abcd" + MAGIC + MAGIC + b"e", size)


@pytest.mark.parametrize(
    "data",
    [MAGIC, MAGIC * 3, b"x" + MAGIC, b"abcd" + MAGIC + b"ef", MAGIC + b"abc", b"abcdefgh" + MAGIC],
)
def test_records_with_the_magic_word(opened, data):
    file, size = opened(frame(data) + frame(b"next"))
    record, end = read_record(file, 0, size)
    assert record == data
    assert read_record(file, end, size) == (b"next", size)


def test_glance(opened):
    labelled, several, header = pack(7.0, b"image"), pack([3.0, 9.0, 4.0], b"x"), pack([5.0, 8.0])
    split = pack(2.0, b"1234" + MAGIC + b"5")
    content = b"".join(map(frame, (labelled, several, header, split)))
    file, size = opened(content)
    seen, offset = [], 0
    while offset < size:
        seen.append(glance(file, offset, size))
        offset = seen[-1].end
    assert [one.labels for one in seen] == [(7.0,), (3.0, 9.0), (5.0, 8.0), (2.0,)]
    assert [one.flag for one in seen] == [0, 3, 2, 0]
    assert [one.is_bare for one in seen] == [False, False, True, False]


def test_image_of():
    assert image_of(pack(1.0, b"abc")) == b"abc"
    assert image_of(pack([1.0, 2.0, 3.0], b"abc")) == b"abc"
    with pytest.raises(DamagedRecord, match="shorter than a record's header"):
        image_of(b"123")
    with pytest.raises(DamagedRecord, match="shorter than its header says"):
        image_of(struct.pack("<IfQQ", 9, 0, 0, 0) + b"four")


@pytest.mark.parametrize(
    "content, reason",
    [
        (frame(b"abcdefgh")[:-1], "ends within"),
        (frame(b"abcdefgh")[:6], "ends before"),
        (b"nothing here", "no record starts"),
        (frame(b"ab" * 10 + MAGIC + b"cd")[:28], "ends before"),
        (frame(b"abcd" + MAGIC)[:12] + frame(b"whole"), "do not fit together"),
        (frame(b"abcd" + MAGIC)[12:], "do not fit together"),
    ],
)
def test_damage(opened, content, reason):
    file, size = opened(content)
    with pytest.raises(DamagedRecord, match=reason):
        read_record(file, 0, size)


def test_the_next_record_is_found_and_parts_are_not_taken_for_one(opened):
    split = frame(b"abcd" + MAGIC + b"ef")
    content = b"?" * 8 + split + b"\0" + MAGIC + b"\0\0\0" + frame(b"last")
    file, size = opened(content)
    assert find_record(file, 0, size) == 8
    assert find_record(file, 9, size) == size - 12
    assert find_record(file, size - 11, size) == size


def test_records_are_found_across_blocks(opened, monkeypatch):
    monkeypatch.setattr("xcos_tf.data.records.recordio._BLOCK", 8)
    file, size = opened(b"?" * 60 + frame(b"abcd"))
    assert find_record(file, 0, size) == 60
