"""The files of a folder that a list of pairs means, as cameras and `xcos align` name them."""

import os
from functools import cache
from pathlib import Path, PurePosixPath

from xcos_tf.data.align_folder import KEPT_SUFFIXES, PHOTO_SUFFIXES

_FIRST = (".jpg", ".jpeg", ".png")


class PhotoFinder:
    """Finds photos by names that may differ in how the suffix is written.

    `Ann_0001.JPG` is found as `Ann_0001.jpg`, and so is `Ann_0001.webp.png`, which `xcos align`
    makes of it, as `Ann_0001.webp`. Each sub-folder is listed once.
    """

    def __init__(self, folder: Path):
        self._folder, self._listed = folder, cache(_listed)

    def by_name(self, name: str) -> str | None:
        """Return the photo that is meant by a relative path with "/", or None."""
        if os.path.isfile(self._folder / name):
            return name
        path = PurePosixPath(name)
        return self._found(path, 0, path.stem + path.suffix.lower())

    def by_stem(self, stem: str) -> str | None:
        """Return the photo of this relative path without a suffix, or None.

        Of several, a .jpg, .jpeg or .png comes first, in this order.
        """
        path = PurePosixPath(stem)
        return self._found(path, 1, path.name)

    def _found(self, path: PurePosixPath, table: int, key: str) -> str | None:
        found = self._listed(self._folder / path.parent)[table].get(key)
        return found and str(path.with_name(found))


def _listed(folder: Path) -> tuple[dict[str, str], dict[str, str]]:
    """Return {name with its suffix in lower case: file} and {name without suffix: file}."""
    try:
        with os.scandir(folder) as entries:
            files = sorted((x.name for x in entries if x.is_file()), key=_rank)
    except OSError:
        files = []
    by_name, by_stem = {}, {}
    for file in files:
        name, suffix = os.path.splitext(file)
        if suffix.lower() not in PHOTO_SUFFIXES:
            continue
        by_name.setdefault(name + suffix.lower(), file)
        inner, inner_suffix = os.path.splitext(name)
        if suffix == ".png" and inner_suffix.lower() in PHOTO_SUFFIXES - KEPT_SUFFIXES:
            by_name.setdefault(inner + inner_suffix.lower(), file)
            name = inner
        by_stem.setdefault(name, file)
    return by_name, by_stem


def _rank(name: str) -> tuple:
    suffix = os.path.splitext(name)[1]
    at = _FIRST.index(suffix.lower()) if suffix.lower() in _FIRST else len(_FIRST)
    return at, not suffix.islower(), name
