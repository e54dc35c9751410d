"""Reading a prepared set: any of its faces by position."""

import csv
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from google.protobuf.message import DecodeError

from xcos_tf.data.records import layout
from xcos_tf.data.records.image_check import image_size
from xcos_tf.data.records.index import COLUMNS, read_index
from xcos_tf.data.records.layout import check_places, read_columns, read_people
from xcos_tf.data.records.source import Pairs
from xcos_tf.data.records.tfrecord import decode, decode_image, whole_payload
from xcos_tf.errors import XcosError, explained
from xcos_tf.files import file_sha256, read_bytes
from xcos_tf.progress import Bar


class PreparedSet:
    """A folder that `xcos prepare` made. It may be used by several threads at once.

    Attributes:
        folder: where it is.
        labels: int32 (N,), whose each face is, as a position in `people`; of pair sets, the
            position of the face's pair in the source.
        people: names; empty for pair sets.
        source: {"kind", "name", "fingerprint", "records"} of what it was made from.
    """

    def __init__(self, folder: str | os.PathLike):
        """Open a prepared set.

        Raises:
            XcosError: there is none, it is unfinished, of a newer format, or its index is damaged.
        """
        self.folder = Path(folder)
        self._index = read_index(self.folder)
        self.source: dict = self._index.source.model_dump()
        path = self.folder / layout.ARRAYS
        _check_file(path, self._index.index_sha256)
        _check_file(self.folder / layout.PEOPLE, self._index.people_sha256)
        self.people = read_people(self.folder / layout.PEOPLE, self._index.people)
        arrays = read_columns(path, COLUMNS, self._index.images)
        check_places(path, self._index, arrays)
        self.labels: np.ndarray = arrays["label"]
        self._shard, self._offset = arrays["shard"], arrays["offset"]
        self._length = arrays["length"]
        self._files: dict[int, int] = {}
        self._files_lock = threading.Lock()

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, positions: np.ndarray) -> list[bytes]:
        """Return the encoded images at integer positions (n,), in any order, also several times.

        Raises:
            XcosError: a shard is missing, cut short or damaged.
            IndexError: a position is not below N.
        """
        return self._read(positions, decode_image)

    def names(self, positions: np.ndarray) -> list[str]:
        """Return where the faces at these positions come from; see `read`."""
        return self._read(positions, lambda payload: decode(payload)[2])

    def pairs(self) -> Pairs | None:
        """Return the pairs of a pair set, in positions of its faces; None for all others.

        Pairs with a face that could not be used are left out.

        Raises:
            XcosError: the list is malformed.
        """
        path = self.folder / layout.PAIRS
        if not path.exists():
            return None
        try:
            lines = read_bytes(path).decode().splitlines()
            rows = [[int(cell) for cell in row] for row in list(csv.reader(lines))[1:]]
            first, second, same = np.array(rows, np.int64).reshape(-1, 3).T
            faces = np.concatenate([first, second])
            if ((faces < 0) | (faces >= len(self))).any():
                raise ValueError("a face that is not there")
        except (ValueError, OverflowError, OSError, csv.Error):
            raise XcosError(f"{path} is malformed; prepare the set again") from None
        return Pairs(first, second, same.astype(bool))

    def check_size(self, size: int) -> None:
        """Make sure that models which take square faces of one size can take all of these.

        A set says the size of its images; of one that does not, each image's header is read.

        Raises:
            XcosError: a face is of another size; it is named.
        """
        if self._index.size == [size, size]:
            return
        for position in Bar(range(len(self)), "sizes", unit="face", disable=None, leave=False):
            found = image_size(*self.read([position]))
            if found not in (None, (size, size)):
                (name,) = self.names([position])
                raise XcosError(
                    f"{name} in {self.folder} is {found[1]}×{found[0]} pixels and the models take "
                    f"{size}×{size}; prepare faces that `xcos align` made"
                )

    def __del__(self):
        for file in getattr(self, "_files", {}).values():
            os.close(file)

    def _read(self, positions, part: Callable[[bytes], Any]) -> list:
        """Return `part` of each payload at these positions."""
        positions = np.asarray(positions, np.int64)
        outside = (positions < 0) | (positions >= len(self))
        if outside.any():
            raise IndexError(
                f"Expected a position from 0 to {len(self) - 1}. "
                f"Received: position={positions[outside][0]}"
            )
        # As Python's integers, all at once: NumPy's take longer one by one than the reading.
        arrays = (self._shard, self._length, self._offset)
        places = zip(*(array[positions].tolist() for array in arrays), strict=True)
        parts = []
        for shard, length, offset in places:
            try:
                record = os.pread(self._file(shard), length + layout.TAIL, offset)
                parts.append(part(whole_payload(record, length)))
            except (OSError, ValueError, DecodeError, IndexError):
                path = self.folder / self._index.shards[shard].file
                raise XcosError(
                    f"{path} is missing or damaged (at byte {offset}); copy it again or prepare "
                    "the set again"
                ) from None
        return parts

    def _file(self, shard: int) -> int:
        with self._files_lock:
            if shard not in self._files:
                path = self.folder / self._index.shards[shard].file
                self._files[shard] = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # not a pipe
            return self._files[shard]


def _check_file(path: Path, sha256: str) -> None:
    with explained(f"{path} cannot be read", "prepare the set again"):
        found = file_sha256(path).hexdigest()
    if found != sha256:
        raise XcosError(
            f"{path} is not what was prepared (its checksum differs); copy it again or prepare "
            "the set again"
        )
