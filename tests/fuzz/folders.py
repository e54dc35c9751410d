"""Folders of people's photos, whatever is in them."""

import os
import shutil
from pathlib import Path

from tests.data.records.sources import jpeg
from tests.fuzz.engine import Reader, Trial
from tests.fuzz.mutate import WORDS
from tests.fuzz.photos import encoded_photos
from tests.fuzz.sets import _check_source
from xcos_tf.data.align_folder import find_photos
from xcos_tf.data.records.source import FolderSource
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.people_set import people_set

_NAMES = tuple(x for x in WORDS if "/" not in x and x not in ("", ".", ".."))
_SUFFIXES = (".jpg", ".JPG", ".jpeg", ".png", ".webp", ".webp.png", ".heic", ".raw", "", ".")
_ENTRIES = ("photo", "photo", "photo", "empty", "text", "folder", "loop", "dangling", "pipe", "up")


def _make(path: Path, kind: str, contents: list[bytes], number: int) -> None:
    if kind == "pipe":
        os.mkfifo(path)
    elif kind in ("loop", "dangling", "up"):
        os.symlink({"loop": path.name, "dangling": "nowhere", "up": ".."}[kind], path)
    elif kind == "folder":
        path.mkdir()
    else:
        content = {"empty": b"", "text": b"words"}.get(kind, contents[number % len(contents)])
        with open(path, "xb") as stream:  # not into a pipe of that name
            stream.write(content)


def _folders(folder: Path) -> Trial:
    contents = [jpeg(0), *encoded_photos(["PNG", "GIF"])]

    def draw(random):
        tree = []
        for person in range(int(random.integers(1, 5))):
            words = ("Ann", "m-001-01", f"p{person}", _NAMES[random.integers(len(_NAMES))])
            name = words[random.integers(len(words))]
            for _ in range(int(random.integers(0, 5))):
                stem = ("0001", "Ann_0001", "m-001-08", _NAMES[random.integers(len(_NAMES))])
                entry = stem[random.integers(4)] + _SUFFIXES[random.integers(len(_SUFFIXES))]
                kind = _ENTRIES[random.integers(len(_ENTRIES))]
                tree.append((name, entry, kind, int(random.integers(99))))
        return tree

    def read(tree):
        place = folder / "people"
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir()
        for name, entry, kind, number in tree:
            try:  # what no file can be called is not there
                (place / name).mkdir(exist_ok=True)
                _make(place / name / entry, kind, contents, number)
            except (OSError, ValueError):
                pass
        inside = os.path.realpath(place)
        if any(not os.path.realpath(x).startswith(inside) for x, *_ in os.walk(place)):
            return
        refused = []
        for use in (
            lambda: _check_source(FolderSource(place)),
            lambda: [os.fsencode(name) for name in find_photos(place)],
            lambda: people_set(place, 1, 1, aligned=True),
        ):
            try:
                use()
            except XcosError as error:
                refused.append(error)
        if refused:
            raise refused[len(tree) % len(refused)]

    return Trial(draw, read)


READERS = (Reader("folders of people", _folders, 0.5),)
