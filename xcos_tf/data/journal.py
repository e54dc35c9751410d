"""A CSV that survives being stopped at any moment: what happened to which photo."""

import contextlib
import csv
from collections.abc import Iterable
from pathlib import Path

from xcos_tf.files import whole_rows, write_csv

# File names need not be valid UTF-8.
_TEXT = {"encoding": "utf-8", "errors": "surrogateescape"}


class Journal(contextlib.AbstractContextManager):
    """Two columns, a photo and a note on it, one row a photo.

    Each row is on disk when `add` returns. A row that was cut short, because the process was
    killed while writing it, is dropped at the next start, as if it had never been.
    """

    def __init__(self, path: Path, note: str):
        """Use this CSV, which need not exist; `note` heads its second column."""
        self.path, self._note, self._stream = path, note, None

    def read(self) -> dict[str, str]:
        """Return {photo: note} of the whole rows in the file; empty if there is none."""
        rows = []
        with contextlib.suppress(csv.Error):
            rows += (row for row in whole_rows(self.path) if len(row) == 2)
        return dict(rows[1:] if rows[:1] == [["photo", self._note]] else rows)

    def start(self, rows: Iterable[tuple[str, str]]) -> "Journal":
        """Replace the file by these rows, at once, and open it for more."""
        write_csv(self.path, ("photo", self._note), rows)
        self._stream = open(self.path, "a", newline="", **_TEXT)  # noqa: SIM115
        return self

    def add(self, photo: str, note: str) -> None:
        csv.writer(self._stream).writerow([photo, note])
        self._stream.flush()

    def __exit__(self, *exception) -> None:
        self._stream.close()
