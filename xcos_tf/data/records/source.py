"""Sources of faces, as the writer of prepared sets reads them; and the simplest, a folder."""

import contextlib
import hashlib
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np

from xcos_tf.errors import XcosError, counted, explained, reason_of


class Record(NamedTuple):
    """One face of a source, or the reason why there is none.

    Attributes:
        name: where it comes from: "person/file.jpg" or the record's key.
        label: whose it is, as a position in the source's `people`; for pair sets, which pair's.
        image: the encoded image, byte for byte as in the source; empty where `problem` is set.
        problem: why the record cannot be used; None if the source found nothing wrong.
    """

    name: str
    label: int
    image: bytes = b""
    problem: str | None = None


@dataclass(frozen=True)
class Pairs:
    """The pairs of a verification set."""

    first: np.ndarray  # int64 (P,), positions of images
    second: np.ndarray
    same: np.ndarray  # bool (P,), whether the two show one person

    def __len__(self) -> int:
        return len(self.same)


class Source(Protocol):
    """An ordered list of records, of which any stretch can be read, by several threads at once.

    It holds numbers for each record, never the images' bytes (but see `insightface_bin`).

    Attributes:
        kind: "folder", "mxnet" or "insightface-bin".
        path: of its file or folder.
        name: last part of its path.
        people: names; a label is a position among them. Empty for pair sets.
        pairs: of a pair set, in positions of records; None for all others.
        size: bytes of all images, about.
        fingerprint: hexadecimal; differs if records were added, removed, resized or relabelled.
    """

    kind: str
    path: Path
    name: str
    people: list[str]
    pairs: Pairs | None
    size: int
    fingerprint: str

    def __len__(self) -> int:
        """Return the number of records."""

    def read(self, start: int, stop: int) -> Iterator[Record]:
        """Yield the records from position `start` up to, not including, `stop`."""


class FolderSource:
    """People in the order of their folders' names, faces in that of their files' names.

    Every file right inside a person's folder is a record, also one that is no image, so that
    nothing is passed over unsaid. Hidden files, and folders without a file, are no part of it.
    Only the number of files of each person is kept; names are listed again when they are read.
    """

    kind = "folder"
    pairs = None

    def __init__(self, folder: str | os.PathLike):
        """List the folder.

        Raises:
            XcosError: it has no sub-folder with files in it, or cannot be read.
        """
        self.path = Path(folder)
        self.name = self.path.resolve().name
        self.people: list[str] = []
        self.size = 0
        counts, digest = [], hashlib.sha256()
        with explained(f"the folder {folder} cannot be read", "change its permissions"):
            for person in sorted(_visible(self.path, os.DirEntry.is_dir)):
                files = _visible(self.path / person, os.DirEntry.is_file)
                if not files:
                    continue
                self.people.append(person)
                counts.append(len(files))
                for name in sorted(files):
                    self.size += files[name]
                    digest.update(os.fsencode(f"{person}/{name}\0{files[name]}\0"))
        if not counts:
            raise XcosError(
                f"{folder} holds no people; give a folder with one sub-folder a person and that "
                "person's faces inside"
            )
        self.fingerprint = digest.hexdigest()
        self._ends = np.cumsum(counts)

    def __len__(self) -> int:
        return int(self._ends[-1])

    def read(self, start: int, stop: int) -> Iterator[Record]:
        """Yield the records from position `start` up to `stop`.

        Raises:
            XcosError: a person's files are no longer those that were listed.
        """
        person = int(np.searchsorted(self._ends, start, side="right"))
        while start < stop:
            end = int(self._ends[person])
            first = int(self._ends[person - 1]) if person else 0
            for file in self._files(person, end - first)[start - first : stop - first]:
                name = f"{self.people[person]}/{file}"
                try:
                    yield Record(name, person, (self.path / name).read_bytes())
                except OSError as error:
                    yield Record(name, person, problem=f"cannot be read ({reason_of(error)})")
            start, person = end, person + 1

    def _files(self, person: int, count: int) -> list[str]:
        folder, names = self.path / self.people[person], []
        with contextlib.suppress(OSError):
            names = sorted(_visible(folder, os.DirEntry.is_file))
        if len(names) != count:
            raise XcosError(
                f"{folder} had {counted(count, 'file')} and now has {len(names)}; leave the "
                "source alone while it is prepared, and start again"
            )
        return names


def _visible(folder: Path, is_wanted) -> dict[str, int]:
    """Return {name: bytes} of the entries that are wanted and not hidden; links are followed."""
    with os.scandir(folder) as entries:
        return {
            entry.name: 0 if stat.S_ISDIR(status.st_mode) else status.st_size
            for entry in entries
            if not entry.name.startswith(".") and is_wanted(entry)
            for status in (entry.stat(),)
        }
