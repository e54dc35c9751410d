"""Stores of enrolled people: the database, the index, and the faces in them."""

import json
import shutil
import sqlite3
from functools import partial
from pathlib import Path
from unittest import mock

import numpy as np
from PIL import Image

from tests.fuzz.engine import Reader, Trial
from tests.fuzz.mutate import SPELLINGS, WHOLE, WORDS, mutate_bytes, mutate_json
from tests.fuzz.photos import encoded_photos
from xcos_tf.models.preset_folder import DEFAULT_PRESET
from xcos_tf.progress import Bar
from xcos_tf.search import folder as room
from xcos_tf.search.entries import Settings, entry_of
from xcos_tf.search.folder import DATABASE, FolderBackend
from xcos_tf.search.store import FaceStore, forget
from xcos_tf.templates import Template
from xcos_tf.verifier import Verifier

FACES, PEOPLE = 24, 5
_COLUMNS = ("number", "person", "photo", "feature", "face")
_COMMANDS = (
    "DROP TABLE faces",
    "DROP TABLE settings",
    "DELETE FROM faces",
    "DELETE FROM settings WHERE name = 'state'",
    "DELETE FROM settings WHERE name = 'index'",
    "ALTER TABLE faces DROP COLUMN face",
    "ALTER TABLE faces ADD COLUMN other",
    "ALTER TABLE faces RENAME TO others",
    "CREATE VIEW other AS SELECT * FROM faces",
    "CREATE TRIGGER t AFTER DELETE ON faces BEGIN DELETE FROM settings; END",
    "ALTER TABLE faces RENAME TO others; CREATE VIEW faces AS WITH RECURSIVE n(number) AS "
    "(SELECT 1 UNION ALL SELECT number + 1 FROM n) SELECT n.number AS number, person, photo, "
    "feature, face FROM n, others",
    "PRAGMA user_version = 7",
    "PRAGMA journal_mode = DELETE",
    "UPDATE faces SET number = -number",
    "UPDATE faces SET number = 9223372036854775807 - number",
    "VACUUM",
)
_FEATURES = (
    np.zeros((7, 7, 32), "<f4"),
    np.full((7, 7, 32), 3e38, "<f4"),
    np.full((7, 7, 32), 1e-40, "<f4"),
    np.full((7, 7, 32), np.nan, "<f4"),
)


def small_store(folder: Path, verifier: Verifier) -> Template:
    """Make a store with an index in a file, the same each time, and return whom to search for."""
    random, shape = np.random.default_rng(9), verifier.runtime.feature_shape
    settings = Settings(DEFAULT_PRESET, verifier.config["weights"]["sha256"], shape)
    pixels = random.integers(0, 256, (7, 7, 3), np.uint8)
    face = np.asarray(Image.fromarray(pixels).resize((112, 112)))
    made = [Template(x.astype(np.float32), face) for x in random.normal(size=(FACES, *shape))]
    tokens = (f"{number:016x}" for number in range(99))
    with mock.patch("secrets.token_hex", lambda _: next(tokens)):
        backend = FolderBackend(folder, lambda: settings, write=True)
        backend.add([entry_of(f"p{i % PEOPLE}", f"{i}.jpg", x) for i, x in enumerate(made)])
        backend.finish()
        backend.close()
    return Template(made[3].feature + 0.1, face, preset=settings.weights)


def _use(folder: Path, verifier: Verifier, probe: Template, change: int) -> None:
    """Search, and then change something and search again."""
    backend = FolderBackend(folder, write=change > 0)
    try:
        store = FaceStore(backend, verifier, backend.settings.preset)
        _search(store, probe)
        if change == 1:
            assert store.enroll("someone", probe, "new.jpg") and not store.known([("p0", "none")])
            store.finish()
        elif change == 2:
            store.forget(next(iter(store))[0])
        if change:
            _search(store, probe)
    finally:
        backend.close()
    if change == 3:
        assert forget(folder, "p1") >= 1


def _search(store: FaceStore, probe: Template) -> None:
    hits = store.find(probe, top=3, threshold=0.2)
    assert 1 <= len(hits) <= 3
    scores = [hit.score for hit in hits]
    assert np.isfinite(scores).all() and scores == sorted(scores, reverse=True)
    for hit in hits:
        assert type(hit.person) is type(hit.photo) is str
        assert hit.verification.template_b.face.shape == (112, 112, 3)
    assert sum(count for _, count in store) == len(store)


def _stores(folder: Path) -> Trial:
    quiet = partial(Bar, disable=True)
    patches = mock.patch.multiple(room, EXACT=16, Bar=lambda disable, **x: quiet(**x))
    verifier, kept = Verifier.from_preset(runtime="litert"), folder / "kept"
    with patches:
        probe = small_store(kept, verifier)
    whole = {x.name: x.read_bytes() for x in kept.iterdir()}
    (index,) = (x for x in whole if x != DATABASE)
    facts = sqlite3.connect(kept / DATABASE).execute("SELECT value FROM settings").fetchone()[0]
    photos = encoded_photos(["PNG", "JPEG", "GIF"])

    def odd(random):
        kind = random.integers(7)
        if kind == 0:
            return None
        if kind == 1:
            return WHOLE[random.integers(20)]
        if kind == 2:
            return float(random.normal())
        if kind == 3:
            return (WORDS + SPELLINGS)[random.integers(len(WORDS))].replace("\ud800", "")
        if kind == 4:
            return _FEATURES[random.integers(len(_FEATURES))].tobytes()
        return photos[random.integers(len(photos))] if kind == 5 else random.bytes(6272)

    def commands(random) -> list[tuple[str, tuple]]:
        kind = random.random()
        if kind < 0.25:
            return [(_COMMANDS[random.integers(len(_COMMANDS))], ())]
        if kind < 0.5:
            text = mutate_json(json.loads(facts), random).decode("latin-1")
            return [("UPDATE settings SET value = ? WHERE name = 'facts'", (text,))]
        if kind < 0.6:
            name = ("facts", "state", "index")[random.integers(3)]
            return [(f"UPDATE settings SET value = ? WHERE name = '{name}'", (odd(random),))]
        column, where = _COLUMNS[random.integers(5)], int(random.integers(1, FACES + 1))
        return [(f"UPDATE faces SET {column} = ? WHERE number = {where}", (odd(random),))]

    def draw(random):
        files, kind, change = dict(whole), random.random(), int(random.integers(4))
        if kind < 0.3:
            files[DATABASE] = mutate_bytes(files[DATABASE], random, [*whole.values()])
        elif kind < 0.45:
            files[index] = mutate_bytes(files[index], random, [*whole.values()])
        elif kind < 0.5:
            files[index], files[DATABASE] = files[DATABASE], files[index]
        elif kind < 0.55:
            extra = DATABASE + ("-wal", "-journal", "-shm")[random.integers(3)]
            files[extra] = mutate_bytes(whole[DATABASE][:5000], random, [*whole.values()])
        elif kind < 0.6:
            del files[(index, DATABASE)[random.integers(2)]]
        else:
            return files, commands(random), change
        return files, [], change

    def read(given):
        files, commands, change = given
        shutil.rmtree(folder / "store", ignore_errors=True)
        (folder / "store").mkdir()
        for name, content in files.items():
            (folder / "store" / name).write_bytes(content)
        for command, values in commands:
            made = sqlite3.connect(folder / "store" / DATABASE, isolation_level=None)
            try:
                if values:
                    made.execute(command, values)
                else:
                    made.executescript(command)
            except (sqlite3.Error, OverflowError, UnicodeEncodeError):
                pass  # which the database itself refuses
            finally:
                made.close()
        with patches:
            _use(folder / "store", verifier, probe, change)

    return Trial(draw, read)


READERS = (Reader("stores of enrolled people", _stores, 0.2),)
