"""MXNet's RecordIO files, read without MXNet: frames in a file, and the header of each record.

A record is one or more parts: magic word, length word (upper 3 bits: 0 whole, 1 first, 2 middle,
3 last part; lower 29: bytes), data, zeros up to a multiple of 4. A record is split where its data
holds the magic word, which the parts then lack. All numbers are little-endian. Source:
dmlc-core `src/recordio.cc` and mxnet `python/mxnet/recordio.py` (`IRHeader`, "IfQQ").
"""

import os
import struct
from dataclasses import dataclass

MAGIC = struct.pack("<I", 0xCED7230A)
_FRAME = struct.Struct("<4sI")
_IR = struct.Struct("<IfQQ")
_WHOLE, _FIRST, _MIDDLE, _LAST = range(4)
# Enough for a frame's head, a record's header and the first two of its labels.
_GLANCE = _FRAME.size + _IR.size + 8
_BLOCK = 1 << 20


class DamagedRecord(Exception):
    """A record cannot be read; the message says why, in a few words."""


@dataclass(frozen=True)
class Glance:
    """What the first bytes of a record tell."""

    labels: tuple[float, ...]  # one or two, the first of the record's labels
    flag: int  # labels that follow the header; 0: the one in the header counts
    is_bare: bool  # whether nothing follows the labels, as in header and identity records
    end: int  # where the record ends and the next one starts


def read_record(file: int, offset: int, limit: int) -> tuple[bytes, int]:
    """Return the record at a byte of a file of `limit` bytes, and where it ends.

    The descriptor's own position is neither used nor moved.

    Raises:
        DamagedRecord: there is no whole record there.
    """
    parts = []
    while True:
        flag, length, start = _part_head(os.pread(file, _FRAME.size, offset), offset, limit)
        if flag not in ((_MIDDLE, _LAST) if parts else (_WHOLE, _FIRST)):
            raise DamagedRecord("its parts do not fit together")
        parts.append(os.pread(file, length, start))
        if len(parts[-1]) < length:
            raise DamagedRecord("the file ends within it")
        offset = _padded_end(start, length, limit)
        if flag in (_WHOLE, _LAST):
            return MAGIC.join(parts), offset


def _part_head(head: bytes, offset: int, limit: int) -> tuple[int, int, int]:
    """Return a part's flag, length and where its data starts."""
    if offset < 0 or offset + _FRAME.size > limit or len(head) < _FRAME.size:
        raise DamagedRecord("the file ends before it")
    magic, word = _FRAME.unpack_from(head)
    if magic != MAGIC:
        raise DamagedRecord("no record starts where it should")
    start, length = offset + _FRAME.size, word & (1 << 29) - 1
    if start + length > limit:
        raise DamagedRecord("the file ends within it")
    return word >> 29, length, start


def _padded_end(start: int, length: int, limit: int) -> int:
    # The zeros after the last record may be missing without harm.
    return min(start + (length + 3) // 4 * 4, limit)


def glance(file: int, offset: int, limit: int) -> Glance:
    """Return what can be told of the record at a position without reading all of it.

    Raises:
        DamagedRecord: as `read_record`, but only the first bytes and the lengths are looked at.
    """
    head = os.pread(file, _GLANCE, offset)
    part, length, start = _part_head(head, offset, limit)
    if part == _WHOLE:
        end = _padded_end(start, length, limit)
        head = head[_FRAME.size : _FRAME.size + length]
    else:  # rare enough to be read whole
        head, end = read_record(file, offset, limit)
        length = len(head)
    flag, label = _unpack_header(head)
    if flag:
        known = min(flag, 2, (len(head) - _IR.size) // 4)
        labels = struct.unpack_from(f"<{known}f", head, _IR.size)
    else:
        labels = (label,)
    if not labels or _IR.size + 4 * flag > length:
        raise DamagedRecord("it is shorter than its header says")
    return Glance(labels, flag, length == _IR.size + 4 * flag, end)


def image_of(record: bytes) -> bytes:
    """Return what follows a record's header and labels.

    Raises:
        DamagedRecord: the record is shorter than its header says.
    """
    flag, _ = _unpack_header(record)
    start = _IR.size + 4 * flag
    if start > len(record):
        raise DamagedRecord("it is shorter than its header says")
    return record[start:]


def _unpack_header(record: bytes) -> tuple[int, float]:
    if len(record) < _IR.size:
        raise DamagedRecord("it is shorter than a record's header")
    flag, label, _, _ = _IR.unpack_from(record)
    return flag, label


def find_record(file: int, offset: int, limit: int) -> int:
    """Return the first position from `offset` on where a record may start; `limit` if none."""
    offset = (offset + 3) // 4 * 4  # records start at multiples of 4
    while offset < limit:
        block = os.pread(file, _BLOCK + _FRAME.size, offset)
        found = block.find(MAGIC)
        while found >= 0:
            word = int.from_bytes(block[found + 4 : found + 8], "little")
            if found % 4 == 0 and found < _BLOCK and word >> 29 in (_WHOLE, _FIRST):
                return offset + found
            found = block.find(MAGIC, found + 1)
        offset += _BLOCK
    return limit
