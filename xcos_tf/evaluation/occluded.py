"""Presets on a set whose pairs have one face covered in part, as in the paper's Fig. 5 (b)."""

import hashlib
import json
import os
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from xcos_tf.data.occlusion import face_seed, occlude_face
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.aligned_faces import FaceReader, align_in_memory
from xcos_tf.evaluation.matcher import Matcher, open_matchers
from xcos_tf.evaluation.measurement import ScoredPairs, UnderOcclusion
from xcos_tf.evaluation.occlude_pairs import Cover, draw_cover
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.protocol import embed, score_photos, scoring_of
from xcos_tf.evaluation.score_cache import ScoreCache
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.metrics.rates import kfold_accuracy

SHARES = (0.0, 0.1, 0.2, 0.3, 0.4, 0.5)


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

    Args:
        presets: bundled names or preset folders; one that is named twice counts once.
        vset: pairs of photos; those that are not aligned are aligned first, and kept in memory.
        shares: of the face, each in [0, 1]; 0 leaves it as it is.
        seed: of the draws, ≥ 0.
        cache: where scores are kept and looked up, if given.

    Returns:
        {share: one entry for each preset and score}, as by `score_set`.

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

    Raises:
        XcosError: the pairs are not dealt into folds that accuracy can be measured on.
    """
    rows = []
    for share, results in by_share.items():
        for scored in results:
            kfold = kfold_accuracy(scored.values, pairs.same, pairs.fold)
            rows.append(UnderOcclusion(scored.preset, scored.score, share, kfold.mean, kfold.std))
    return rows


def check_folds(pairs: PairSet) -> None:
    """Fail before the work rather than after it, where `under_occlusion` would fail.

    Raises:
        XcosError: the pairs are not dealt into folds that accuracy can be measured on.
    """
    kfold_accuracy(np.zeros(len(pairs)), pairs.same, pairs.fold)


def _compute(
    missing: Mapping[float, Sequence[Matcher]], vset: VerificationSet, seed: int
) -> Iterator[tuple[float, Matcher, dict[str, np.ndarray]]]:
    """Yield the scores of each share's presets, as soon as they are there."""
    working = list(dict.fromkeys(x for matchers in missing.values() for x in matchers))
    if not working:
        return
    vset = align_in_memory(vset)
    faces, names, pairs = FaceReader(vset), vset.photos.names, vset.pairs
    plain = embed(working, faces.batches(range(len(names)), "faces"), names)
    cover = draw_cover(pairs, seed)
    covered_names = [names[position] for position in cover.photos]
    for share, matchers in missing.items():
        ends, covered = pairs, {}
        if share and matchers:
            ends = cover
            covered = embed(matchers, _covered(faces, pairs, cover, share, seed), covered_names)
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
