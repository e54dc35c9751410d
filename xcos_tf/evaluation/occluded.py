"""Pairs with one face covered in part, as in the paper's Fig. 5 (b): scored, or made a set."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence
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
from xcos_tf.data.occlusion import Occluder, face_seed, occlude_face
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.aligned_faces import FaceReader, align_in_memory
from xcos_tf.evaluation.matcher import Matcher, open_matchers
from xcos_tf.evaluation.measurement import ScoredPairs, UnderOcclusion
from xcos_tf.evaluation.open_set import open_set
from xcos_tf.evaluation.pair_lists import write_pairs_csv
from xcos_tf.evaluation.pairs import PairSet, pairs_of
from xcos_tf.evaluation.protocol import embed, score_photos, scoring_of
from xcos_tf.evaluation.score_cache import ScoreCache
from xcos_tf.evaluation.verification_set import VerificationSet, file_digest
from xcos_tf.files import read_bytes, replace_file
from xcos_tf.metrics.rates import kfold_accuracy
from xcos_tf.progress import Bar

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)
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


def score_occluded(
    presets: Sequence[str | os.PathLike],
    vset: VerificationSet,
    shares: Sequence[float] = SHARES,
    seed: int = 0,
    cache: ScoreCache | None = None,
) -> dict[float, list[ScoredPairs]]:
    """Score every pair of a set with a share of one of its faces covered.

    Which face of a pair is covered is drawn, and the same for all shares. What covers it follows
    from the seed and the name of its photo alone. Each photo goes through each backbone once as it
    is, and once for each share if it is covered in any pair.

    Photos that are not aligned are aligned first, and kept in memory. Shares are in [0, 1], and the
    seed is ≥ 0; presets and cache are as for `score_set`, as is what is returned for each share.

    Raises:
        XcosError: as by `score_set`, or the set is of videos.
    """
    if vset.videos is not None:
        raise XcosError(
            f"{vset.name} holds videos, and faces are covered in pairs of photos only; leave out "
            "the measurement under occlusion"
        )
    matchers = open_matchers(presets)
    # A set's fingerprint does not know names, but the covers follow from them.
    names = hashlib.sha256(json.dumps(vset.pairs.photos).encode("ascii")).hexdigest()
    scorings = {
        (share, matcher): scoring_of(matcher, vset, share, f"{seed} {names}" if share else "")
        for share in shares
        for matcher in matchers
    }
    known = {key: cache and cache.load(scoring) for key, scoring in scorings.items()}
    missing = {share: [x for x in matchers if known[share, x] is None] for share in shares}
    for share, matcher, scores in _compute(missing, vset, seed):
        if cache:
            cache.save(scorings[share, matcher], scores)
        known[share, matcher] = scores
    return {
        share: [scored for x in matchers for scored in x.scored(known[share, x])]
        for share in shares
    }


def under_occlusion(
    by_share: Mapping[float, Sequence[ScoredPairs]], pairs: PairSet
) -> list[UnderOcclusion]:
    """Return the accuracy of each preset and score at each share, in the order of `by_share`.

    Raises XcosError as `check_folds` does.
    """
    rows = []
    for share, results in by_share.items():
        for scored in results:
            kfold = kfold_accuracy(scored.values, pairs.same, pairs.fold)
            rows.append(UnderOcclusion(scored.preset, scored.score, share, kfold.mean, kfold.std))
    return rows


def check_folds(pairs: PairSet) -> None:
    """Raise XcosError before the work where `under_occlusion` would after it, for want of folds."""
    kfold_accuracy(np.zeros(len(pairs)), pairs.same, pairs.fold)


def _compute(
    missing: Mapping[float, Sequence[Matcher]], vset: VerificationSet, seed: int
) -> Iterator[tuple[float, Matcher, dict[str, np.ndarray]]]:
    """Yield the scores of each share's presets, as soon as they are there."""
    working = list(dict.fromkeys(x for matchers in missing.values() for x in matchers))
    if not working:
        return
    vset = align_in_memory(vset)
    faces, pairs, count = FaceReader(vset), vset.pairs, len(vset.photos)
    plain = embed(working, faces.batches(range(count), "faces"), count)
    cover = draw_cover(pairs, seed)
    for share, matchers in missing.items():
        ends, covered = pairs, {}
        if share and matchers:
            ends, batches = cover, _covered(faces, pairs, cover, share, seed)
            covered = embed(matchers, batches, len(cover.photos))
        for matcher in matchers:
            features = plain[matcher]
            if covered:
                features = np.concatenate([features, covered[matcher]])
            yield share, matcher, score_photos(matcher, features, ends.first, ends.second, vset)


def _covered(
    faces: FaceReader, pairs: PairSet, cover: Cover, share: float, seed: int
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield batches of covered faces, with their places among all that are."""
    for positions, batch in faces.batches(cover.photos, f"faces, {100 * share:.0f} % covered"):
        for face, position in zip(batch, positions, strict=True):
            face[:] = occlude_face(face, share, face_seed(seed, pairs.photos[position]))
        yield np.searchsorted(cover.photos, positions), batch


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

    The source is a folder of aligned faces, as `align_folder` makes, and the list of pairs is in
    any form that `open_set` reads but that of videos. The destination is made if it is missing.

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
            target = destination / FACES / photo
            if not target.exists():
                target.parent.mkdir(parents=True, exist_ok=True)
                content = read_bytes(source / photo)
                replace_file(target, lambda stream, content=content: stream.write(content))
        targets = {photo: destination / COVERED / name for photo, name in copies.items()}
        for _, problem in cover_faces(source, targets, occluder, summary):
            raise problem
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
