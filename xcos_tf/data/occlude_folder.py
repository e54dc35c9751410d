"""A folder tree of aligned faces -> the same tree with every face covered in part."""

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import numpy as np

from xcos_tf.data.align_folder import (
    FAILURES,
    Journal,
    check_folders,
    find_photos,
    write_face,
    writing_to,
)
from xcos_tf.data.alignment import check_aligned
from xcos_tf.data.batching import read_ahead
from xcos_tf.data.occlusion import Occluder
from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError, shown
from xcos_tf.files import read_json, write_json
from xcos_tf.progress import Bar

SETTINGS = "occlusion.json"


@dataclass
class CopySummary:
    """What became of the faces that were to be covered."""

    covered: int = 0  # now
    already_done: int = 0
    failed: int = 0  # files that are no aligned face


def occlude_folder(
    source: str | os.PathLike, destination: str | os.PathLike, occluder: Occluder
) -> CopySummary:
    """Cover every face of a folder tree.

    `a/b.jpg` gives `a/b.png`. What covers it follows from the seed and this name alone, so that a
    part of the tree is covered as in the whole. A copy appears under its name only when it is
    complete, so a run that was stopped in any way goes on where it was; finished copies stay as
    they are. Files that are no aligned faces are listed in `failures.csv` (photo, reason), and
    tried again by the next run. `occlusion.json` says what the copy follows from. The destination
    is made if missing.

    Raises:
        XcosError: `source` is no folder or holds no aligned face; two would have one copy;
            `destination` is inside it or around it, holds another copy or other files, or cannot be
            written.
    """
    source, destination = Path(source), Path(destination)
    check_folders(source, destination)
    photos = [Path(photo).as_posix() for photo in find_photos(source)]
    targets = {photo: destination / name for photo, name in covered_names(photos).items()}
    _check_faces(source, photos)
    summary = CopySummary()
    with writing_to(destination, "xcos occlude"):
        claim_folder(destination, occluder.settings())
        with Journal(destination / FAILURES, "reason").start([]) as failures:
            for photo, problem in cover_faces(source, targets, occluder, summary):
                failures.add(photo, str(problem))
                summary.failed += 1
    return summary


def claim_folder(destination: Path, settings: dict) -> None:
    """Make a folder for a copy, or take one up that was begun with the same settings.

    What the copy follows from is kept in its `occlusion.json`.

    Raises:
        XcosError: it is a copy with other settings, or holds something else.
        OSError: it cannot be written.
    """
    path = destination / SETTINGS
    if path.exists():
        _check_same(path, settings)
        return
    # Hidden files may be what is left of a run that was killed at once.
    if destination.exists() and any(not x.name.startswith(".") for x in destination.iterdir()):
        raise XcosError(
            f"{destination} holds other files; choose a folder that is empty or not there yet"
        )
    destination.mkdir(parents=True, exist_ok=True)
    write_json(path, settings)


def covered_names(photos: Iterable[str]) -> dict[str, str]:
    """Return the relative name of each photo's covered copy: `a/b.jpg` gives `a/b.png`.

    PNG keeps the cover to the pixel.

    Raises:
        XcosError: two photos would have one copy.
    """
    photo_of = {}
    for photo in photos:
        name = str(PurePosixPath(photo).with_suffix(".png"))
        other = photo_of.setdefault(name, photo)
        if other != photo:
            raise XcosError(f"{other} and {photo} would both become {name}; rename one of them")
    return {photo: name for name, photo in photo_of.items()}


def read_aligned_face(path: Path) -> np.ndarray:
    """Return an aligned face, uint8 (112, 112, 3) RGB.

    Raises:
        XcosError: it cannot be read, or has another size.
    """
    face = read_photo(path)
    check_aligned(face, path)
    return face


def cover_faces(
    source: Path, targets: Mapping[str, Path], occluder: Occluder, summary: CopySummary
) -> Iterator[tuple[str, XcosError]]:
    """Write the covered copies that are not there yet, with a progress bar on standard error.

    `targets` is {photo relative to the source, with "/": file of its copy}. Of the summary, all but
    `failed` is kept up.

    Yields:
        Each photo that is no aligned face, and the reason.
    """
    pending = {source / name: name for name, target in targets.items() if not target.exists()}
    summary.already_done = len(targets) - len(pending)
    with Bar(None, "covering", len(targets), initial=summary.already_done, unit="photo") as bar:
        for path, face in read_ahead(pending, read_aligned_face):
            name = pending[path]
            if isinstance(face, XcosError):
                yield name, face
            else:
                write_face(targets[name], occluder.cover(face, name))
                summary.covered += 1
            bar.update()


def _check_faces(source: Path, photos: Sequence[str]) -> None:
    """Refuse a folder without one aligned face, before anything is written."""
    problems = []
    for _, face in read_ahead((source / photo for photo in photos), read_aligned_face):
        if not isinstance(face, XcosError):
            return
        problems.append(face)
    raise XcosError(
        f"{source} holds no aligned face; the first of {len(problems):,}: {problems[0]}"
    )


def _check_same(path: Path, now: dict) -> None:
    """Refuse a copy whose settings, in a file, are others than those that this one is to have."""
    before = read_json(path, "the file", "delete its folder")
    if not isinstance(before, dict):
        raise XcosError(f"{path} does not say how faces were covered; delete its folder")
    differing = [key for key in {**before, **now} if before.get(key) != now.get(key)]

    def one(key: str, settings: dict) -> str:
        if key not in settings:
            return f"no {key}"
        return f"{key} {str(settings[key])[: 8 if key.endswith('_sha256') else None]}"

    def told(settings: dict) -> str:
        return shown(", ".join(one(key, settings) for key in differing))

    if differing:
        raise XcosError(
            f"{path.parent} holds a copy with {told(before)}, and this one is to have {told(now)}; "
            "choose another folder"
        )
