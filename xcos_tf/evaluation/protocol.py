"""Presets on a set: each photo through each backbone once, then every score of every pair."""

import os
from collections.abc import Iterable, Sequence

import numpy as np

from xcos_tf.errors import XcosError, counted
from xcos_tf.evaluation.aligned_faces import FaceReader
from xcos_tf.evaluation.matcher import Matcher, open_matchers
from xcos_tf.evaluation.measurement import ScoredPairs
from xcos_tf.evaluation.score_cache import ScoreCache
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.progress import Bar
from xcos_tf.verifier import PAIR_BLOCK

VERSION = 1
"""Raised whenever the same weights and photos come to other scores, or have more of them."""


def score_set(
    presets: Sequence[str | os.PathLike], vset: VerificationSet, cache: ScoreCache | None = None
) -> list[ScoredPairs]:
    """Score every pair of a set by everything that each preset can score by.

    An xCos preset scores by its attentions and by the plain cosine of the flattened grid, a plain
    one by its cosine. A pair of videos scores the mean over all pairs of their frames. The features
    of all photos are in memory at once: 6.3 kB a photo for a grid of 7×7×32.

    Args:
        presets: bundled names or preset folders; one that is named twice counts once.
        vset: the set; photos that are not aligned are aligned once for all presets.
        cache: where scores are kept and looked up, if given.

    Returns:
        One entry for each preset and score.

    Raises:
        XcosError: a preset or a photo cannot be used, a photo shows no face, or a score is not a
            finite number.
    """
    matchers = open_matchers(presets)
    known = {matcher: cache and cache.load(scoring_of(matcher, vset)) for matcher in matchers}
    missing = [matcher for matcher in matchers if known[matcher] is None]
    if missing:
        batches = FaceReader(vset).batches(range(len(vset.photos)), "faces")
        features = embed(missing, batches, len(vset.photos))
        for matcher in missing:
            known[matcher] = _score(matcher, features[matcher], vset)
            if cache:
                cache.save(scoring_of(matcher, vset), known[matcher])
    return [scored for matcher in matchers for scored in matcher.scored(known[matcher])]


def scoring_of(
    matcher: Matcher, vset: VerificationSet, share: float = 0.0, cover: str = ""
) -> dict:
    """Return what the scores of a preset on a set follow from, a key of `ScoreCache`.

    `share` of one face of each pair is covered, and the cover follows from `cover` besides, such as
    its seed.
    """
    of_preset = {"weights": matcher.sha256, "model": matcher.model}
    of_set = {"photos": vset.fingerprint, "aligned": vset.aligned}
    return {"version": VERSION, **of_preset, **of_set, "share": share, "cover": cover}


def embed(
    matchers: Sequence[Matcher],
    batches: Iterable[tuple[np.ndarray, np.ndarray]],
    count: int,
) -> dict[Matcher, np.ndarray]:
    """Return each preset's features of N = `count` faces, float32 (N, h, w, c) or (N, dimension).

    They come in batches: positions int64 (B,), each of 0 to N − 1 once, with faces uint8
    (B, 112, 112, 3).

    Raises:
        XcosError: a preset cannot be used, or a feature is not finite.
    """
    verifiers = {matcher: matcher.verifier for matcher in matchers}  # fails before any face is read
    features = {}
    for positions, faces in batches:
        for matcher, verifier in verifiers.items():
            block = verifier.embed(faces)
            if matcher not in features:
                features[matcher] = np.empty((count, *block.shape[1:]), np.float32)
            features[matcher][positions] = block
    return features


def score_photos(
    matcher: Matcher,
    features: np.ndarray,
    first: np.ndarray,
    second: np.ndarray,
    vset: VerificationSet,
) -> dict[str, np.ndarray]:
    """Return {score: float32 (P,)} by everything that a preset can score the pairs of a set by.

    The pairs are by position, int64 (P,), in features as by `embed`. Raises XcosError if a score is
    not a finite number.
    """
    scores = {}
    for score in matcher.scores:
        scores[score] = np.empty(len(first), np.float32)
        for start in range(0, len(first), PAIR_BLOCK):
            block = slice(start, start + PAIR_BLOCK)
            ends = features[first[block]], features[second[block]]
            scores[score][block] = matcher.score_pairs(*ends, score)
        _check_finite(scores[score], score, matcher, vset)
    return scores


def _score(matcher: Matcher, features: np.ndarray, vset: VerificationSet) -> dict[str, np.ndarray]:
    ends = vset.pairs.first, vset.pairs.second
    if vset.videos is None:
        return score_photos(matcher, features, *ends, vset)
    scores = {score: np.empty(len(vset.pairs), np.float32) for score in matcher.scores}
    bar = Bar(zip(*ends, strict=True), desc="videos", unit="pair", total=len(vset.pairs))
    for pair, (a, b) in enumerate(bar):
        frames = features[vset.videos[a]], features[vset.videos[b]]
        for score, values in scores.items():
            values[pair] = matcher.score_all(*frames, score).mean(dtype=np.float64)
    for score, values in scores.items():
        _check_finite(values, score, matcher, vset)
    return scores


def _check_finite(values: np.ndarray, score: str, matcher: Matcher, vset: VerificationSet) -> None:
    bad = np.flatnonzero(~np.isfinite(values))
    if not len(bad):
        return
    a, b = (vset.pairs.photos[end[bad[0]]] for end in (vset.pairs.first, vset.pairs.second))
    rest = f", and of {counted(len(bad) - 1, 'more pair')}" if len(bad) > 1 else ""
    raise XcosError(
        f"the preset {matcher.name!r} gives {values[bad[0]]} as its {score} score of {a} and "
        f"{b}{rest}; its weights are of no use, get or train it again"
    )
