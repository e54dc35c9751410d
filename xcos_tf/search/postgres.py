"""A store in PostgreSQL with pgvector: as many readers and writers as the server serves."""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from xcos_tf.errors import XcosError, extra, reason_of
from xcos_tf.search.entries import Backend, Entry, Settings, vectors

with extra("postgres", "a store in PostgreSQL"):
    import psycopg
    from pgvector import HalfVector
    from pgvector.psycopg import register_vector

SEARCHED = 400
"""Faces that the index looks at for a query, at least: what makes it find nearly all neighbours."""

_SCHEMA = """
CREATE TABLE xcos_settings (name text PRIMARY KEY, value text NOT NULL);
CREATE TABLE xcos_faces (
    number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    person text NOT NULL,
    photo text NOT NULL,
    feature bytea NOT NULL,
    face bytea NOT NULL,
    vector halfvec({size}) NOT NULL,
    UNIQUE (person, photo)
);
CREATE INDEX xcos_faces_vector ON xcos_faces USING hnsw (vector halfvec_ip_ops);
"""


class PostgresBackend(Backend):
    """See `Backend`. Any number of processes may write and read; the index keeps itself."""

    def __init__(self, url: str, new: Callable[[], Settings] | None = None):
        """Connect to a store.

        Args:
            url: `postgresql://USER:PASSWORD@HOST:PORT/DATABASE?…`, as libpq takes it.
            new: gives its settings, if it is to be made where there is none.

        Raises:
            XcosError: the server cannot be reached or refuses, has no pgvector, or has no store
                and no settings are given.
        """
        self._url = url
        self.name = re.sub(r"(?<=://)[^@/]*@|\?.*", "", url)
        with self._told():
            self._connection = psycopg.connect(url, connect_timeout=10, autocommit=True)
        try:
            with self._told():
                if not self._is_there():
                    if new is None:
                        raise XcosError(
                            f"there is no store in {self.name}; make one with `xcos enroll`"
                        )
                    self._make(new())
                register_vector(self._connection)
                found = dict(self._run("SELECT name, value FROM xcos_settings"))
            self.settings = Settings.read(found.get("facts", ""), self.name)
        except BaseException:
            self.close()
            raise

    def __len__(self) -> int:
        return self._run("SELECT count(*) FROM xcos_faces").fetchone()[0]

    def people(self) -> Iterator[tuple[str, int]]:
        yield from self._run(
            'SELECT person, count(*) FROM xcos_faces GROUP BY person ORDER BY person COLLATE "C"'
        )

    def known(self, photos: Collection[tuple[str, str]]) -> set[tuple[str, str]]:
        people, names = [x for x, _ in photos], [x for _, x in photos]
        return set(
            self._run(
                "SELECT person, photo FROM xcos_faces JOIN unnest(%s::text[], %s::text[]) "
                "AS asked (person, photo) USING (person, photo)",
                (people, names),
            )
        )

    def add(self, entries: Sequence[Entry]) -> int:
        if not entries:
            return 0
        halves = vectors(np.stack([x.feature for x in entries]))
        rows = [
            (x.person, x.photo, x.content, x.face, half)
            for x, half in zip(entries, map(HalfVector, halves), strict=True)
        ]
        with self._told(), self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO xcos_faces (person, photo, feature, face, vector) "
                "VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING",
                rows,
            )
            return cursor.rowcount

    def nearest(self, queries: np.ndarray, count: int) -> list[list[int]]:
        with self._told(), self._connection.transaction(), self._connection.cursor() as cursor:
            cursor.execute(f"SET LOCAL hnsw.ef_search = {min(max(SEARCHED, count), 1000)}")
            asked = "SELECT number FROM xcos_faces ORDER BY vector <#> %s LIMIT %s"
            return [
                [x for (x,) in cursor.execute(asked, (HalfVector(query), count))]
                for query in queries
            ]

    def read(self, numbers: Sequence[int]) -> list[Entry]:
        asked = "SELECT number, person, photo, feature, face FROM xcos_faces WHERE number = ANY(%s)"
        return self.settings.entries(self._run(asked, (list(numbers),)), numbers, self.name)

    def forget(self, person: str) -> int:
        return self._run("DELETE FROM xcos_faces WHERE person = %s", (person,)).rowcount

    def close(self) -> None:
        self._connection.close()

    def _is_there(self) -> bool:
        # `to_regclass` would remember that it was not there before another made it.
        asked = "relname = 'xcos_settings' AND pg_table_is_visible(oid)"
        return self._run(f"SELECT EXISTS (SELECT FROM pg_class WHERE {asked})").fetchone()[0]

    def _make(self, settings: Settings) -> None:
        with self._connection.transaction():
            # Two that begin at once make one store.
            self._run("SELECT pg_advisory_xact_lock(hashtext('xcos_settings'))")
            if self._is_there():
                return
            self._run("CREATE EXTENSION IF NOT EXISTS vector")
            self._run(_SCHEMA.format(size=int(np.prod(settings.shape))))
            self._run("INSERT INTO xcos_settings VALUES ('facts', %s)", (settings.write(),))

    def _run(self, command: str, values: tuple | None = None):
        with self._told():
            return self._connection.execute(command, values)

    @contextmanager
    def _told(self) -> Iterator[None]:
        """Raise what the server says as an XcosError."""
        try:
            yield
        except psycopg.errors.UndefinedFile:
            raise XcosError(
                f"the server of {self.name} lacks pgvector; install it there (the extension "
                "`vector`)"
            ) from None
        except psycopg.errors.InsufficientPrivilege as error:
            raise XcosError(
                f"{self.name} refuses ({reason_of(error)}); let the owner of the database run "
                "CREATE EXTENSION vector, and give this user rights to it"
            ) from None
        except psycopg.Error as error:
            # The address may have a password.
            reason = reason_of(ValueError(str(error).replace(self._url, self.name)))
            raise XcosError(
                f"the database {self.name} cannot be used ({reason}); check the address, user and "
                "password, and that the server runs"
            ) from None
