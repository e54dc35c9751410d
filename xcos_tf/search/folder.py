"""A store in a folder: SQLite keeps the faces, FAISS finds the nearest.

The database `faces.sqlite` is the store. An index is made of it, in memory up to `EXACT` faces. For
more it is kept in a file, which is made again if it is missing, of another state, or not as it was
written: FAISS reads whatever it is given, so that the database has the file's SHA-256.
"""

import math
import os
import re
import secrets
import sqlite3
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import faiss
import numpy as np

from xcos_tf.errors import XcosError, explained, reason_of, shown
from xcos_tf.files import file_sha256, only_writer, replace_file
from xcos_tf.progress import Bar
from xcos_tf.search.entries import Backend, Entry, Settings, vectors

DATABASE = "faces.sqlite"
EXACT = 50_000
"""Faces up to which every one is compared; beyond, a code of each is, and the best ones are."""

CODED = 4
"""Numbers of a vector that one code of 4 bits stands for."""

RANKED = 4
"""Faces by their codes, for each that is asked for, that are compared."""

TRAINED_ON = 4096
"""Faces that codes are learned from, at least."""

_BLOCK = 4096
_SCHEMA = (
    "CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL)",
    "CREATE TABLE faces (number INTEGER PRIMARY KEY AUTOINCREMENT, person TEXT NOT NULL, "
    "photo TEXT NOT NULL, feature BLOB NOT NULL, face BLOB NOT NULL, UNIQUE (person, photo))",
)


class FolderBackend(Backend):
    """See `Backend`. One process may write at a time, and any number read meanwhile."""

    def __init__(
        self,
        folder: str | os.PathLike,
        new: Callable[[], Settings] | None = None,
        write: bool = False,
    ):
        """Open a store.

        Args:
            folder: of the store.
            new: gives its settings, if it is to be made where there is none.
            write: whether it will be written to.

        Raises:
            XcosError: there is none and no settings are given; it is damaged, something else, or
                of a newer format; another process is writing to it; or it cannot be written.
        """
        self._folder = Path(folder)
        self.name = shown(os.fspath(folder))
        self._stack, self._index, self._counted = ExitStack(), None, (None, 0)
        try:
            with self._told():
                if new is None and not (self._folder / DATABASE).is_file():
                    raise XcosError(f"there is no store {self.name}; make one with `xcos enroll`")
                if write:
                    self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
                    command = "xcos enroll` or `xcos forget"
                    self._stack.enter_context(only_writer(self._folder, command))
                self._connect(new)
                self.settings = Settings.read(self._setting("facts"), self.name)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        now = self._now()
        if self._counted[0] != now:  # counting a million takes as long as searching them
            self._counted = now, self._run("SELECT count(*) FROM faces")[0][0]
        return self._counted[1]

    def people(self) -> Iterator[tuple[str, int]]:
        asked = "SELECT person, count(*) FROM faces GROUP BY person ORDER BY person"
        for person, count in self._run(asked):
            if not isinstance(person, str):  # any column of SQLite may hold any kind
                raise self._damaged("a name is no text")
            yield person, count

    def known(self, photos: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        asked = "SELECT 1 FROM faces WHERE person = ? AND photo = ?"
        return {pair for pair in photos if self._run(asked, pair)}

    def add(self, entries: Sequence[Entry]) -> int:
        before = self._connection.total_changes
        rows = [(x.person, x.photo, x.content, x.face) for x in entries]
        with self._told(), self._connection:
            self._connection.executemany(
                "INSERT OR IGNORE INTO faces (person, photo, feature, face) VALUES (?, ?, ?, ?)",
                rows,
            )
        return self._connection.total_changes - before

    def nearest(self, queries: np.ndarray, count: int) -> list[list[int]]:
        self._catch_up()
        queries, coded = np.ascontiguousarray(queries, np.float32), _is_coded(self._index)
        _, found = self._index.search(queries, count * RANKED if coded else count)
        found = [[int(x) for x in row if x >= 0] for row in found]
        if not coded:
            return found
        return [self._ranked(*x)[:count] for x in zip(queries, found, strict=True)]

    def read(self, numbers: Sequence[int]) -> list[Entry]:
        rows = self._rows("person, photo, feature, face", numbers)
        return self.settings.entries(rows, numbers, self.name)

    def forget(self, person: str) -> int:
        asked = "SELECT number FROM faces WHERE person = ?"
        gone = [number for (number,) in self._run(asked, (person,))]
        if not gone:
            return 0
        kept = self._index_file()
        if kept.exists():
            self._catch_up()
        with self._told():
            with self._connection:
                self._connection.execute("DELETE FROM faces WHERE person = ?", (person,))
                self._connection.execute(
                    "UPDATE settings SET value = ? WHERE name = 'state'", (secrets.token_hex(8),)
                )
            # What was deleted is overwritten in the database, and the log that had it is emptied.
            self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            kept.unlink(missing_ok=True)
        if self._index is not None:
            self._index.remove_ids(np.array(gone, np.int64))
            self._state = self._now()[0]
            self.finish()
        return len(gone)

    def finish(self) -> None:
        if len(self) <= EXACT:
            return
        self._catch_up()
        with self._told():
            for old in self._folder.glob("index.*.faiss"):
                old.unlink()
            file = self._index_file()
            replace_file(file, self._write_index, 0o600)
            with self._connection:
                row = "index", file_sha256(file).hexdigest()
                self._connection.execute("INSERT OR REPLACE INTO settings VALUES (?, ?)", row)

    def close(self) -> None:
        self._stack.close()

    def _connect(self, new: Callable[[], Settings] | None) -> None:
        path = self._folder / DATABASE
        self._connection = sqlite3.connect(path, timeout=30, check_same_thread=False)
        self._stack.callback(self._connection.close)
        self._connection.execute("PRAGMA secure_delete = ON")
        asked = (
            "SELECT sql FROM sqlite_master WHERE type IN ('table', 'view', 'trigger') "
            "AND name NOT LIKE 'sqlite%'"
        )
        found = sorted(str(sql) for (sql,) in self._connection.execute(asked))
        if found == sorted(_SCHEMA):
            return
        if found or new is None:  # a view or a trigger could run for ever
            raise self._damaged("its tables are not those of a store")
        rows = [("facts", new().write()), ("state", secrets.token_hex(8))]
        os.chmod(path, 0o600)
        self._connection.execute("PRAGMA journal_mode = WAL")
        with self._connection:
            for command in _SCHEMA:
                self._connection.execute(command)
            self._connection.executemany("INSERT INTO settings VALUES (?, ?)", rows)

    def _run(self, command: str, values: tuple = ()) -> list[tuple]:
        with self._told():
            return self._connection.execute(command, values).fetchall()

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise what the database or the file system says against it as an XcosError."""
        advice, refused = "check its permissions and make room", (sqlite3.OperationalError,)
        try:
            with (
                explained(f"{self.name} cannot be used", advice),
                explained(f"the store {self.name} cannot be used", advice, refused),
            ):
                yield
        except sqlite3.Error as error:
            raise self._damaged(reason_of(error)) from None

    def _damaged(self, reason: str) -> XcosError:
        return XcosError(
            f"{self.name} is no store or is damaged ({reason}); enroll the people into a new one"
        )

    def _rows(self, columns: str, numbers: Sequence[int]) -> list[tuple]:
        """Return the number and columns of the faces that are there, in any order."""
        marks = ",".join("?" * len(numbers))
        asked = f"SELECT number, {columns} FROM faces WHERE number IN ({marks})"
        return self._run(asked, tuple(map(int, numbers)))

    def _ranked(self, query: np.ndarray, numbers: Sequence[int]) -> list[int]:
        """Return the faces that are there by their inner products with a query, the best first."""
        rows = self._rows("feature", numbers)
        if not rows:
            return []
        # Not `@`, whose threads would spin for some 25 ms and take a core from what follows.
        scores = np.einsum("ij,j->i", self._vectors(blob for _, blob in rows), query)
        return [rows[i][0] for i in np.argsort(-scores, kind="stable")]

    def _now(self) -> tuple[str, int]:
        """Return the state, which is another after each removal, and the last number."""
        state = self._setting("state")
        if not re.fullmatch("[0-9a-f]{16}", state):  # it becomes the name of a file
            raise self._damaged("it has no state")
        return state, self._run("SELECT coalesce(max(number), 0) FROM faces")[0][0]

    def _setting(self, name: str) -> str:
        """Return what is set; nothing where it is not, or is no text."""
        rows = self._run("SELECT value FROM settings WHERE name = ?", (name,))
        return rows[0][0] if rows and isinstance(rows[0][0], str) else ""

    def _index_file(self) -> Path:
        return self._folder / f"index.{self._now()[0]}.faiss"

    def _catch_up(self) -> None:
        """Bring the index to what the database has now."""
        state, last = self._now()
        if self._index is not None and (state, last) == (self._state, self._last):
            return
        outgrown = len(self) > EXACT and not _is_coded(self._index)
        if self._index is None or state != self._state or outgrown:
            self._index = self._load(state) or self._make()
        held = faiss.vector_to_array(self._index.id_map) if self._index.ntotal else [0]
        self._add_after(int(np.max(held)))
        self._state, self._last = state, last

    def _load(self, state: str):
        path = self._folder / f"index.{state}.faiss"
        with suppress(OSError, RuntimeError):
            if file_sha256(path).hexdigest() == self._setting("index"):
                index = faiss.read_index(os.fspath(path))
                return index if _is_coded(index) else None  # others were written before
        return None

    def _make(self):
        """Return an index without faces, which has seen what it needs to know of them."""
        size, count = math.prod(self.settings.shape), len(self)
        if count <= EXACT:
            return faiss.IndexIDMap2(faiss.IndexFlatIP(size))
        parts = size // math.gcd(size, CODED)
        index = faiss.IndexPQFastScan(size, parts, 4, faiss.METRIC_INNER_PRODUCT)
        index.pq.cp.min_points_per_centroid, index.pq.cp.niter = 1, 10
        one_in = max(1, count // TRAINED_ON)
        rows = self._run("SELECT feature FROM faces WHERE number % ? = 0", (one_in,))
        blocks = [rows[i : i + _BLOCK] for i in range(0, len(rows), _BLOCK)]
        index.train(np.concatenate([self._vectors(blob for (blob,) in x) for x in blocks]))
        return faiss.IndexIDMap2(index)

    def _vectors(self, blobs: Iterable[bytes]) -> np.ndarray:
        return vectors(np.stack([self.settings.feature(blob, self.name) for blob in blobs]))

    def _write_index(self, stream: BinaryIO) -> None:
        faiss.write_index(self._index, faiss.PyCallbackIOWriter(stream.write))

    def _add_after(self, number: int) -> None:
        total = self._run("SELECT count(*) FROM faces WHERE number > ?", (number,))[0][0]
        asked = "SELECT number, feature FROM faces WHERE number > ? ORDER BY number LIMIT ?"
        with Bar(total=total, desc="index", unit="face", disable=total < EXACT) as bar:
            while rows := self._run(asked, (number, _BLOCK)):
                number = rows[-1][0]
                numbers = np.array([x for x, _ in rows], np.int64)
                self._index.add_with_ids(self._vectors(blob for _, blob in rows), numbers)
                bar.update(len(rows))


def _is_coded(index: faiss.Index) -> bool:
    """Whether an index holds codes by the numbers of faces."""
    return isinstance(index, faiss.IndexIDMap2) and isinstance(
        faiss.downcast_index(index.index), faiss.IndexPQFastScan
    )
