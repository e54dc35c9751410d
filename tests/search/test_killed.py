"""A store in a folder, whose writer is killed at any moment."""

import sqlite3
import subprocess
import sys
import time

import numpy as np
import pytest

from xcos_tf.search.folder import FolderBackend

KILLS = 50
WRITER = """
import sys
from tests.search.conftest import SETTINGS, entries
from xcos_tf.search import folder
folder.EXACT = 100
store = folder.FolderBackend(sys.argv[1], lambda: SETTINGS, write=True)
while True:
    now, people = len(store), dict(store.people())
    if now % 3 == 1 and people:
        person, faces = people.popitem()
        print(now, now - faces, flush=True)
        store.forget(person)
        store.finish()
    else:
        print(now, now + 31, flush=True)
        store.add(entries(31, seed=now + len(people) * 1000))
"""


@pytest.mark.slow
def test_killed_at_random_it_keeps_what_was_done(tmp_path, chance):
    folder = tmp_path / "store"
    largest = 0
    for _ in range(KILLS):
        process = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(folder)], stdout=subprocess.PIPE, text=True
        )
        said = [process.stdout.readline()]  # it has begun
        time.sleep(chance.uniform(0, 0.2))
        process.kill()
        said += process.stdout.readlines()
        process.wait()
        with sqlite3.connect(folder / "faces.sqlite") as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        store = FolderBackend(folder)
        # A batch is there whole or not at all, and so is the person who was forgotten.
        assert len(store) in {int(count) for count in said[-1].split()}
        assert len(store.nearest(np.ones((1, 196), np.float32), 5)[0]) == min(5, len(store))
        largest = max(largest, len(store))
        store.close()
    assert largest > 500
