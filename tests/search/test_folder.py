"""A store in a folder: its index beyond `EXACT` faces, its lock, and what is damaged."""

import os
import sqlite3
import stat

import faiss
import numpy as np
import pytest

from tests.search.conftest import SETTINGS, entries
from xcos_tf.errors import XcosError
from xcos_tf.search import folder as room
from xcos_tf.search.entries import vectors
from xcos_tf.search.folder import FolderBackend


@pytest.fixture
def url(tmp_path):
    return str(tmp_path / "store")


@pytest.fixture
def small(monkeypatch):
    """Let an index of codes begin at few faces."""
    monkeypatch.setattr(room, "EXACT", 500)


def numbers_of(backend, given):
    probes = vectors(np.stack([x.feature for x in given]))
    return [[backend.read([x])[0].photo for x in row] for row in backend.nearest(probes, 1)]


def test_a_large_store_finds_each_face_itself(opened, small):
    store, given = opened(), entries(1000)
    store.add(given)
    store.finish()
    [file] = (store._folder).glob("index.*.faiss")
    assert numbers_of(store, given) == [[x.photo] for x in given]
    assert stat.S_IMODE(os.stat(file).st_mode) & 0o077 == 0


def test_the_kept_index_is_used_and_caught_up(opened, small, monkeypatch):
    store, given = opened(), entries(1000)
    store.add(given)
    store.finish()
    store.add(entries(5, seed=1))
    store.close()
    monkeypatch.setattr(FolderBackend, "_make", lambda self: pytest.fail("made anew"))
    again = opened(write=False)
    assert numbers_of(again, entries(5, seed=1)) == [[f"1/{i}.jpg"] for i in range(5)]


def test_a_store_that_grows_gets_codes(opened, small):
    store = opened()
    store.add(entries(400))
    assert numbers_of(store, entries(3)) == [[f"0/{i}.jpg"] for i in range(3)]
    store.add(entries(400, seed=1))
    assert numbers_of(store, entries(3, seed=1)) == [[f"1/{i}.jpg"] for i in range(3)]
    assert store._index.ntotal == 800 and room._is_coded(store._index)


def test_what_codes_find_is_compared_anew(opened, small):
    store, given = opened(), entries(1000)
    store.add(given)
    probes = vectors(np.stack([x.feature for x in entries(20, seed=1)]))
    scores = probes @ vectors(np.stack([x.feature for x in given])).T
    recalls = []
    for row, found in zip(scores, store.nearest(probes, 50), strict=True):
        assert len(found) == 50 and found == sorted(found, key=lambda x: -row[x - 1])
        recalls.append(np.isin(np.argsort(-row)[:10] + 1, found).mean())
    assert np.mean(recalls) > 0.98


@pytest.mark.parametrize("damage", [b"", b"no index", "half"])
def test_a_damaged_index_is_made_again(opened, small, damage):
    store, given = opened(), entries(600)
    store.add(given)
    store.finish()
    store.close()
    [file] = store._folder.glob("index.*.faiss")
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2] if damage == "half" else damage)
    assert numbers_of(opened(write=False), given[:5]) == [[x.photo] for x in given[:5]]


def test_an_index_that_the_store_did_not_write_is_made_again(opened, small):
    store, given = opened(), entries(600)
    store.add(given)
    store.finish()
    [file] = store._folder.glob("index.*.faiss")
    other = faiss.IndexIDMap2(faiss.IndexFlatIP(196))  # whole, and of nobody
    faiss.write_index(other, str(file))
    assert numbers_of(opened(write=False), given[:5]) == [[x.photo] for x in given[:5]]


def test_nothing_of_a_forgotten_person_stays_in_the_files(opened, small):
    store, given = opened(), entries(600, people=300)
    store.add([entry._replace(person=f"<{entry.person}>") for entry in given])
    store.finish()
    before = {x.name for x in store._folder.glob("index.*")}
    assert store.forget("<person-7>") == 2
    assert not before & {x.name for x in store._folder.glob("index.*")}
    assert list(store._folder.glob("index.*.faiss"))  # so that it is not made anew
    store.close()
    content = b"".join(x.read_bytes() for x in store._folder.iterdir())
    assert b"<person-8>" in content and b"<person-7>" not in content
    assert given[8].content in content and given[7].content not in content


def test_one_process_writes_at_a_time(opened, url):
    opened()
    with pytest.raises(XcosError, match=r"another `xcos enroll` or `xcos forget` is writing"):
        FolderBackend(url, lambda: SETTINGS, write=True)
    FolderBackend(url).close()


def test_only_its_owner_may_read_it(opened, url):
    opened().add(entries(1))
    assert stat.S_IMODE(os.stat(url).st_mode) & 0o077 == 0


_FACTS = (
    'UPDATE settings SET value = \'{{"preset": "a", "weights": "b", "shape": {}, "format": {}}}\' '
    "WHERE name = 'facts'"
)
DAMAGE = {
    "no database": "UPDATE settings SET value = 'x' WHERE name = 'facts'",
    "no settings": "DELETE FROM settings",
    "odd settings": "UPDATE settings SET value = '{\"preset\": []}' WHERE name = 'facts'",
    "a list": "UPDATE settings SET value = '[1]' WHERE name = 'facts'",
    "no table": "DROP TABLE settings",
    "a shape of text": _FACTS.format('"abc"', 1),
    "a shape without end": _FACTS.format("[1e999, 7, 4]", 1),
    "a shape too large": _FACTS.format("[99999999, 7, 4]", 1),
    "a format of text": _FACTS.format("[7, 7, 4]", '"1"'),
    "nested without end": f"UPDATE settings SET value = '{'[' * 9000}' WHERE name = 'facts'",
    "bytes": "UPDATE settings SET value = x'00' WHERE name = 'facts'",
    "a view": "ALTER TABLE faces RENAME TO kept; CREATE VIEW faces AS SELECT * FROM kept",
    "a trigger": "CREATE TRIGGER t AFTER DELETE ON faces BEGIN DELETE FROM settings; END",
    "another table": "CREATE TABLE other (name)",
}


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_store_is_one_sentence(opened, url, damage):
    opened().close()
    with sqlite3.connect(f"{url}/faces.sqlite") as connection:
        connection.executescript(damage)
    with pytest.raises(XcosError, match=r"(are damaged|is no store|cannot be used).*; "):
        FolderBackend(url)


def test_a_file_of_something_else_is_no_store(tmp_path):
    (tmp_path / "faces.sqlite").write_bytes(b"words " * 1000)
    with pytest.raises(XcosError, match="is no store or is damaged"):
        FolderBackend(tmp_path)


@pytest.mark.parametrize(
    "value", [b"", b"123", np.full(196, np.nan, np.float32).tobytes(), b"\0" * 783]
)
def test_a_damaged_feature_is_one_sentence(opened, url, value):
    store = opened()
    store.add(entries(3))
    with sqlite3.connect(f"{url}/faces.sqlite") as connection:
        connection.execute("UPDATE faces SET feature = ? WHERE number = 2", (value,))
    with pytest.raises(XcosError, match=r"a feature in .* is damaged; enroll"):
        store.nearest(np.ones((1, 196), np.float32), 3)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("person", b"bytes"),
        ("photo", b"bytes"),
        ("feature", 7),
        ("feature", "text"),
        ("face", 0.5),
        ("face", "text"),
    ],
)
def test_a_face_of_other_kinds_is_one_sentence(opened, url, column, value):
    store = opened()
    store.add(entries(3))
    with sqlite3.connect(f"{url}/faces.sqlite") as connection:
        connection.execute(f"UPDATE faces SET {column} = ? WHERE number = 2", (value,))
    with pytest.raises(XcosError, match=r"is damaged.*; enroll"):
        store.read([1, 2])


@pytest.mark.parametrize("state", ["", "../../somewhere", "0123456789ABCDEF", b"0123456789abcdef"])
def test_a_state_that_is_none_is_one_sentence(opened, url, state):
    store = opened()
    store.add(entries(3))
    with sqlite3.connect(f"{url}/faces.sqlite") as connection:
        connection.execute("UPDATE settings SET value = ? WHERE name = 'state'", (state,))
    with pytest.raises(XcosError, match="is no store or is damaged"):
        store.forget("person-1")


def test_a_folder_that_cannot_be_written_is_one_sentence(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(XcosError, match="cannot be used"):
        FolderBackend(tmp_path / "file" / "store", lambda: SETTINGS, write=True)
