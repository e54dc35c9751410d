"""Listed pairs of aligned faces -> the same pairs with one face of each covered in part."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xcos_tf.data.align_folder import check_folders, writing_to
from xcos_tf.data.batching import read_ahead
from xcos_tf.data.occlude_folder import (
    CopySummary,
    claim_folder,
    cover_faces,
    covered_names,
    read_aligned_face,
)
from xcos_tf.data.occlusion import Occluder
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.open_set import open_set
from xcos_tf.evaluation.pair_lists import write_pairs_csv
from xcos_tf.evaluation.pairs import PairSet, pairs_of
from xcos_tf.evaluation.verification_set import file_digest
from xcos_tf.files import replace_file
from xcos_tf.progress import Bar

PAIRS, FACES, COVERED = "pairs.csv", "faces", "covered"


@dataclass(frozen=True)
class Cover:
    """Which photos are covered, and where pairs find them.

    Attributes:
        photos: int64 (M,), positions of the photos that are covered in any pair.
        first, second: int64 (P,), the two faces of each pair, as positions among all N photos as
            they are, followed by the M covered ones.
    """

    photos: np.ndarray
    first: np.ndarray
    second: np.ndarray


def draw_cover(pairs: PairSet, seed: int) -> Cover:
    """Draw, for each pair, which of its two faces is covered."""
    covers_first = np.random.default_rng(seed).integers(2, size=len(pairs)).astype(bool)
    photos, places = np.unique(
        np.where(covers_first, pairs.first, pairs.second), return_inverse=True
    )
    covered = len(pairs.photos) + places
    return Cover(
        photos,
        np.where(covers_first, covered, pairs.first),
        np.where(covers_first, pairs.second, covered),
    )


def occlude_pairs(
    source: str | os.PathLike,
    pairs: str | os.PathLike,
    destination: str | os.PathLike,
    occluder: Occluder,
) -> CopySummary:
    """Make a set of the same pairs, in which one face of each is covered.

    The destination gets `faces/`, what the list names, byte for byte; `covered/`, the covered
    copies of those that are covered in any pair; and `pairs.csv`, the pairs in their order and
    folds. Faces and covers are those of `score_occluded`, so that scores are too. The list is
    written last; until then, a run that was stopped in any way goes on where it was.

    Args:
        source: folder of aligned faces, as `align_folder` makes.
        pairs: list of pairs, in any form that `open_set` reads but that of videos.
        destination: folder for the copy, apart from `source`; made if missing.
        occluder: what covers them.

    Raises:
        XcosError: as by `open_set`; a photo that the list names is no aligned face; two that are
            to be covered would have one copy; `destination` is inside `source` or around it, holds
            another copy or other files, or cannot be written.
    """
    source, destination = Path(source), Path(destination)
    check_folders(source, destination)
    vset = open_set(source, pairs, aligned=True)
    if vset.videos is not None:
        raise XcosError(
            f"{pairs} is a list of videos, and faces are covered in pairs of photos only; give a "
            "list of photos"
        )
    photos, cover = vset.pairs.photos, draw_cover(vset.pairs, occluder.seed)
    copies = covered_names(photos[position] for position in cover.photos)
    _check_faces(source, photos)
    summary = CopySummary()
    with writing_to(destination, "xcos occlude"):
        settings = {
            "list": Path(pairs).name,
            "list_sha256": file_digest(Path(pairs)).hex(),
            "set_sha256": vset.fingerprint,
        }
        claim_folder(destination, occluder.settings() | settings)
        for photo in photos:
            _copy(source / photo, destination / FACES / photo)
        targets = {photo: destination / COVERED / name for photo, name in copies.items()}
        for _, fault in cover_faces(source, targets, occluder, summary):
            raise fault
    names = [f"{FACES}/{photo}" for photo in photos]
    names += [f"{COVERED}/{name}" for name in copies.values()]
    same, fold = vset.pairs.same, vset.pairs.fold
    covered_pairs, _ = pairs_of(names, cover.first, cover.second, same, fold)
    write_pairs_csv(destination / PAIRS, covered_pairs)
    return summary


def _check_faces(source: Path, photos: Sequence[str]) -> None:
    """Refuse a photo that is no aligned face, before anything is written."""
    with Bar(total=len(photos), desc="checking", unit="photo") as bar:
        for _, face in read_ahead((source / photo for photo in photos), read_aligned_face):
            if isinstance(face, XcosError):
                raise face
            bar.update()


def _copy(photo: Path, target: Path) -> None:
    """Copy a file that is not there yet, byte for byte; it is either complete or not there."""
    if target.exists():
        return
    target.parent.mkdir(parents=True, exist_ok=True)
    content = photo.read_bytes()
    replace_file(target, lambda stream: stream.write(content))
