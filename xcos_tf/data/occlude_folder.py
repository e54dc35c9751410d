"""A folder tree of aligned faces -> the same tree with every face covered in part."""

import os
from collections.abc import Sequence
from pathlib import Path

from xcos_tf.data.align_folder import FAILURES, check_folders, find_photos
from xcos_tf.data.batching import read_ahead
from xcos_tf.data.covered_copy import (
    CopySummary,
    claim_folder,
    cover_faces,
    covered_names,
    read_face,
    writing_to,
)
from xcos_tf.data.journal import Journal
from xcos_tf.data.occluder import Occluder
from xcos_tf.errors import XcosError


def occlude_folder(
    source: str | os.PathLike, destination: str | os.PathLike, occluder: Occluder
) -> CopySummary:
    """Cover every face of a folder tree.

    `a/b.jpg` gives `a/b.png`. What covers it follows from the seed and this name alone, so that a
    part of the tree is covered as in the whole. A copy appears under its name only when it is
    complete, so a run that was stopped in any way goes on where it was; finished copies stay as
    they are. Files that are no aligned faces are listed in `failures.csv` (photo, reason), and
    tried again by the next run. `occlusion.json` says what the copy follows from.

    Args:
        source: folder of aligned faces, as `align_folder` makes.
        destination: folder for the copy, apart from `source`; made if missing.
        occluder: what covers them.

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
    with writing_to(destination):
        claim_folder(destination, occluder.settings())
        with Journal(destination / FAILURES, "reason").start([]) as failures:
            for photo, fault in cover_faces(source, targets, occluder, summary):
                failures.add(photo, str(fault))
                summary.failed += 1
    return summary


def _check_faces(source: Path, photos: Sequence[str]) -> None:
    """Refuse a folder without one aligned face, before anything is written."""
    faults = []
    for _, face in read_ahead((source / photo for photo in photos), read_face):
        if not isinstance(face, XcosError):
            return
        faults.append(face)
    raise XcosError(f"{source} holds no aligned face; the first of {len(faults):,}: {faults[0]}")
