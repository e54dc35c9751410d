"""Training sets as InsightFace hands them out: `train.rec`, `train.idx` and `property`.

In the newer kind, record 0 is a header without an image and two labels: the first key after the
images, and the first after the identity records that follow them, which hold no image either.
Images have keys from 1. The older kind is images alone. The label of an image is a float, or the
first of several. Source: insightface `recognition/arcface_torch/dataset.py`.
"""

import hashlib
import math
import os
from array import array
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from xcos_tf.data.records import recordio
from xcos_tf.data.records.recordio import DamagedRecord, Glance, find_record, glance
from xcos_tf.data.records.source import Record
from xcos_tf.errors import XcosError, explained, reason_of
from xcos_tf.files import open_regular, read_bytes

# Labels and keys are stored as float32, which tells whole numbers apart up to here.
_MOST = 1 << 24
_MOST_PEOPLE = 1 << 22  # WebFace260M has 4,008,130
_MISSING = -1
_BAD_LABEL = -1


class MxnetSource:
    """The images of a RecordIO file, in the order of the file.

    A first pass over the records' heads finds the positions and labels, and keeps 20 bytes of
    numbers an image; images are read when they are asked for.

    If the set says how many people it has (`property`, or its header record), labels stay as they
    are and people are named "0", "1", ... Otherwise the labels that occur are numbered in their
    order, and people are named by their old label.
    """

    kind = "mxnet"
    pairs = None

    def __init__(self, record_file: str | os.PathLike):
        """Look at every record's head in a file such as `train.rec`.

        `train.idx` and `property` may lie beside it.

        Raises:
            XcosError: a file cannot be read or is malformed, or holds no image record.
        """
        self.path = Path(record_file)
        self.name = self.path.resolve().parent.name + "/" + self.path.name
        with explained(f"{self.path} cannot be read", "check the path"):
            self._stream = open_regular(self.path)
            self._file = self._stream.fileno()
            self.size = os.fstat(self._file).st_size
        people = _read_property(self.path.with_name("property"))
        index = _read_index(self.path.with_suffix(".idx"))
        self._keys, self._offsets, labels, promised = self._walk(index)
        if not len(self._keys):
            raise XcosError(f"{self.path} holds no image record; get the file again")
        people = people or promised
        if people:
            self.people = [str(label) for label in range(people)]
            self._labels = np.where(labels < people, labels, _BAD_LABEL)
        else:
            known = np.unique(labels[labels != _BAD_LABEL])
            self.people = [str(label) for label in known]
            found = np.searchsorted(known, labels)
            self._labels = np.where(labels == _BAD_LABEL, _BAD_LABEL, found).astype(np.int32)
        is_sorted = bool((self._offsets[1:] >= self._offsets[:-1]).all())
        self._starts = self._offsets if is_sorted else np.sort(self._offsets)
        digest = hashlib.sha256(str(self.size).encode())
        for numbers in (self._keys, self._offsets, self._labels):
            digest.update(numbers.data)
        self.fingerprint = digest.hexdigest()

    def __len__(self) -> int:
        return len(self._keys)

    def __del__(self):
        if hasattr(self, "_stream"):
            self._stream.close()

    def read(self, start: int, stop: int) -> Iterator[Record]:
        """Yield the records from position `start` up to `stop`."""
        for i in range(start, stop):
            name, label, offset = str(self._keys[i]), int(self._labels[i]), int(self._offsets[i])
            if offset == _MISSING:
                yield Record(name, label, problem="missing, though the set's header counts it")
                continue
            image, problem = b"", None
            try:
                record, end = recordio.read_record(self._file, offset, self.size)
                following = int(np.searchsorted(self._starts, offset, side="right"))
                if following < len(self._starts) and end > self._starts[following]:
                    raise DamagedRecord("it runs into the next one")
                image = recordio.image_of(record)
            except DamagedRecord as error:
                problem = f"cut short or corrupt: {error}"
            except OSError as error:
                problem = f"cannot be read ({reason_of(error)})"
            if not problem and label == _BAD_LABEL:
                image, problem = b"", "its label is not one of the set's people"
            yield Record(name, label, image, problem)

    def _walk(self, index) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
        """Return keys, offsets and labels of the image records, and how many people are promised.

        The index is int64 (records, 2), key and offset; None without one.
        """
        keys, offsets, labels = array("q"), array("q"), array("i")
        header = None
        for key, offset, seen in self._glances() if index is None else self._indexed(index):
            is_bare = seen and seen.is_bare and seen.flag >= 2
            if key == 0 and is_bare:
                header = _parse_header(seen)
            # Keys tell which are images if there is an index, even of damaged ones. Counted keys,
            # without an index, are wrong after a damaged stretch.
            elif header is None or (key < header[0] if index is not None else not is_bare):
                keys.append(key)
                offsets.append(offset)
                labels.append(_parse_label(seen))
        keys, offsets, labels = _as_numpy(keys), _as_numpy(offsets), _as_numpy(labels)
        if header is None:
            return keys, offsets, labels, 0
        if header[0] > 10 * len(keys) + 1000:  # of which each would be listed as missing
            raise XcosError(
                f"{self.path} promises {header[0] - 1:,} images and holds {len(keys):,}; get the "
                "file again"
            )
        if index is not None:
            # Those that came before the header, by their positions, were not looked at by it.
            known = keys < header[0]
            keys, offsets, labels = keys[known], offsets[known], labels[known]
            is_there = np.zeros(header[0], bool)
            is_there[keys] = True
            missing = np.flatnonzero(~is_there[1:]) + 1
        else:  # the file's order is all there is to go by
            missing = np.arange(len(keys) + 1, header[0])
        if not len(missing):
            return keys, offsets, labels, header[1] - header[0]
        return (
            np.concatenate([keys, missing]),
            np.concatenate([offsets, np.full(len(missing), _MISSING)]),
            np.concatenate([labels, np.full(len(missing), _BAD_LABEL, labels.dtype)]),
            header[1] - header[0],
        )

    def _indexed(self, index: np.ndarray) -> Iterator[tuple[int, int, Glance | None]]:
        for key, offset in index:
            try:
                yield int(key), int(offset), glance(self._file, int(offset), self.size)
            except DamagedRecord:  # `read` will say why
                yield int(key), int(offset), None

    def _glances(self) -> Iterator[tuple[int, int, Glance | None]]:
        key, last, offset = 0, -1, 0
        while offset < self.size:
            try:
                seen = glance(self._file, offset, self.size)
                following = seen.end
            except DamagedRecord:
                # Either this record is damaged or the one before ended at the wrong place, which
                # `read` finds out by this one's start.
                skipped = find_record(self._file, last + 4, self.size) if last >= 0 else offset
                if skipped < offset:
                    last, offset = -1, skipped
                    continue
                seen, following = None, find_record(self._file, offset + 4, self.size)
            yield key, offset, seen
            key, last, offset = key + 1, offset, following


def _parse_header(seen: Glance) -> tuple[int, int] | None:
    """Return the first key after the images and the first after the identities."""
    if not all(math.isfinite(x) and 1 <= x <= _MOST for x in seen.labels):
        return None
    first, last = map(int, seen.labels)
    return (first, last) if 0 <= last - first <= _MOST_PEOPLE else None


def _parse_label(seen: Glance | None) -> int:
    if seen is None:
        return _BAD_LABEL
    label = seen.labels[0]
    is_whole = math.isfinite(label) and label == int(label) and 0 <= label < _MOST
    return int(label) if is_whole else _BAD_LABEL


def _read_property(path: Path) -> int:
    """Return the number of people from "people,height,width"; 0 without such a file."""
    if not path.is_file():
        return 0
    with explained(f"{path} cannot be read", "check the path"):
        word = read_bytes(path)[:100].split(b",")[0].strip()
    if not word.isdigit() or not 1 <= int(word) <= _MOST_PEOPLE:
        raise XcosError(
            f"{path} must start with the number of people, as in `85742,112,112`, but starts with "
            f"{word.decode(errors='replace')!r}; mend it or remove it"
        )
    return int(word)


def _read_index(path: Path) -> np.ndarray | None:
    """Return int64 (records, 2), key and offset by offset; None without such a file."""
    if not path.is_file():
        return None
    numbers = array("q")
    with explained(f"{path} cannot be read", "check the path"), open_regular(path) as stream:
        for row, line in enumerate(stream, start=1):
            columns = line.split()
            if len(columns) == 2 and all(c.isdigit() and len(c) < 19 for c in columns):
                numbers.extend(map(int, columns))
            elif columns:
                raise XcosError(
                    f"line {row} of {path} must be a key and a position, but is {line[:60]!r}; get "
                    "the file again, or remove it: the records are then read one after the other"
                )
    index = _as_numpy(numbers).reshape(-1, 2)
    if (index[1:, 1] >= index[:-1, 1]).all():  # the usual case, which saves a copy
        return index
    return index[np.argsort(index[:, 1], kind="stable")]


def _as_numpy(numbers: array) -> np.ndarray:
    """Return the same numbers, not copied."""
    return np.frombuffer(numbers, numbers.typecode) if numbers else np.empty(0, numbers.typecode)
