"""Deletion and insertion: does a pair's score depend on what a map calls most important?

The pixels that a map calls most similar are removed from a face, or are the only ones it keeps, and
the score is a curve over how many. Sources: V. Petsiuk, A. Das and K. Saenko, "RISE", BMVC 2018;
Y. Lu, Z. Xu and T. Ebrahimi, "Towards Visual Saliency Explanations of Face Verification",
WACV 2024.

The main protocol changes one face and leaves the other as it is, A and B in turn. If both change
at once, what fills A is compared with what fills B: two strangers of whom nothing is left score 1,
and a map does well that makes both faces alike in their blanks. That is here for comparison.

Of a faithful map the area under the curve of deletion is small and that of insertion large, for
genuine and for impostor pairs, which are reported separately: a genuine pair's score has far to
fall. Negated maps, of dissimilarity, have the same areas the other way round: to reveal what they
call most similar is to remove, down to it, what the map itself does. Areas compare maps of the same
verifier only.
"""

import math

import numpy as np

from xcos_tf.explain.faithfulness.fills import removed
from xcos_tf.explain.faithfulness.maps import at_pixels
from xcos_tf.explain.probing import scores_of_variants
from xcos_tf.verifier import Verifier

STEPS = 10

Pair = tuple[np.ndarray, np.ndarray]


def scores_under_removal(
    verifier: Verifier,
    faces: Pair,
    maps: Pair,
    fill: str,
    reveal: bool = False,
    both: bool = False,
    steps: int = STEPS,
    seed: int = 0,
) -> np.ndarray:
    """Score a pair while pixels are removed, from the highest value of each face's map on.

    Args:
        verifier: anything with `embed` and `compare_pairs`, as `Verifier`.
        faces: A and B, each uint8 (h, w, 3).
        maps: of A and of B, each float (k, l), of whatever size.
        fill: see `removed`.
        reveal: these pixels are what is left, and all others are removed: insertion.
        both: the faces are changed together, instead of in turn.
        steps: the shares of pixels are 0, 1/steps, … 1.
        seed: of the order of pixels of equal value, and of the fill's noise.

    Returns:
        float64 (turns, steps + 1): of A changed, then of B; or one row of both.

    Raises:
        XcosError: there is no such fill.
    """
    shares = np.linspace(0, 1, steps + 1)
    stages_a, stages_b = (
        removed(face, _gone(values, face, shares, reveal, seed), fill, seed)
        for face, values in zip(faces, maps, strict=True)
    )
    face_a, face_b = (face[np.newaxis] for face in faces)
    turns = [(stages_a, stages_b)] if both else [(stages_a, face_b), (face_a, stages_b)]
    return np.stack([scores_of_variants(verifier, *turn) for turn in turns])


def accuracy_under_removal(scores: np.ndarray, same: bool, threshold: float) -> np.ndarray:
    """Return at each share how many of the turns' verdicts are right, float64 (steps + 1,).

    The pair is accepted where a score of `scores_under_removal` reaches the threshold.
    """
    return ((scores >= threshold) == same).mean(axis=0)


def area(curves: np.ndarray) -> np.ndarray:
    """Return the areas (...) under curves over evenly spread shares from 0 to 1, (..., steps + 1).

    They are linear in the curves, so the mean of several areas is the area of the mean curve.
    """
    return ((curves[..., 1:] + curves[..., :-1]) / 2).mean(axis=-1)


def removal_order(values: np.ndarray, shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Return which pixel goes when: integers of a face's shape, 0 for the highest value.

    Pixels of equal value go in random order, the same for all maps: from left to right and top to
    bottom they would make a pattern of their own.
    """
    tie_breaker = np.random.default_rng(seed).permutation(math.prod(shape))
    ranked = np.lexsort((tie_breaker, -at_pixels(values, shape).ravel()))
    return np.argsort(ranked).reshape(shape)


def _gone(values, face, shares, reveal, seed) -> np.ndarray:
    """Return which pixels are removed at each share, bool (len(shares), h, w)."""
    order = removal_order(values, face.shape[:2], seed)
    taken = order < np.rint(shares * order.size)[:, np.newaxis, np.newaxis]
    return ~taken if reveal else taken
