"""A folder of people, one sub-folder of faces each, as a source of records."""

import hashlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from xcos_tf.data.records.source import Record
from xcos_tf.errors import XcosError
from xcos_tf.wording import counted


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
        self._folder = Path(folder)
        self.name = self._folder.resolve().name
        self.people: list[str] = []
        self.size = 0
        counts, digest = [], hashlib.sha256()
        try:
            for person in sorted(_visible(self._folder, os.DirEntry.is_dir)):
                files = _visible(self._folder / person, os.DirEntry.is_file)
                if not files:
                    continue
                self.people.append(person)
                counts.append(len(files))
                for name in sorted(files):
                    self.size += files[name]
                    digest.update(os.fsencode(f"{person}/{name}\0{files[name]}\0"))
        except OSError as error:
            raise XcosError(
                f"{error.filename} cannot be read ({error.strerror}); change its permissions"
            ) from None
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
            for name in self._files(person, end - first)[start - first : stop - first]:
                yield self._read_one(person, name)
            start, person = end, person + 1

    def _files(self, person: int, count: int) -> list[str]:
        folder = self._folder / self.people[person]
        try:
            names = sorted(_visible(folder, os.DirEntry.is_file))
        except OSError:
            names = []
        if len(names) != count:
            raise XcosError(
                f"{folder} had {counted(count, 'file')} and now has {len(names)}; leave the "
                "source alone while it is prepared, and start again"
            )
        return names

    def _read_one(self, person: int, name: str) -> Record:
        full_name = f"{self.people[person]}/{name}"
        try:
            return Record(full_name, person, (self._folder / full_name).read_bytes())
        except OSError as error:
            return Record(full_name, person, fault=f"cannot be read ({error.strerror or error})")


def _visible(folder: Path, is_wanted) -> dict[str, int]:
    """Return {name: bytes} of the entries that are wanted and not hidden; links are followed."""
    with os.scandir(folder) as entries:
        return {
            entry.name: 0 if stat.S_ISDIR(status.st_mode) else status.st_size
            for entry in entries
            if not entry.name.startswith(".") and is_wanted(entry)
            for status in (entry.stat(),)
        }
