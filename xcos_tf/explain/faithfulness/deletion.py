"""Deletion and insertion: does the verdict hang on the places that a map calls most important?

Source: Y. Lu, Z. Xu and T. Ebrahimi, "Towards Visual Saliency Explanations of Face Verification",
WACV 2024, after V. Petsiuk, A. Das and K. Saenko, "RISE", BMVC 2018. The most similar pixels of
both faces are removed, or revealed in faces that are otherwise removed; the accuracy of the
verifier is a curve over how many. A faithful map has a small area under the curve of deletion and
a large one under that of insertion. For dissimilarity, give negated maps, and impostor pairs.
"""

import math
from dataclasses import dataclass
from functools import partial

import numpy as np

from xcos_tf.explain.faithfulness.fillings import filling_of
from xcos_tf.explain.faithfulness.maps import at_pixels
from xcos_tf.explain.probing import embed_all
from xcos_tf.metrics.intervals import Estimate, mean_over_pairs
from xcos_tf.verifier import Verifier

STEPS = 10


@dataclass(frozen=True)
class AccuracyCurve:
    """Accuracy while pixels are removed, or revealed.

    Attributes:
        shares: float (steps + 1,), of the pixels, from 0 to 1.
        accuracy: float (steps + 1,), of the verifier over all pairs. Two faces that are all black
            are alike, and so accepted.
        area: under the curve, in [0, 1], with its interval over pairs.
        pair_areas: float (P,), that of each pair alone; `area` is their mean. Two methods are
            compared by the differences of these, pair by pair.
    """

    shares: np.ndarray
    accuracy: np.ndarray
    area: Estimate
    pair_areas: np.ndarray


def deletion_curve(
    verifier: Verifier,
    faces: tuple[np.ndarray, np.ndarray],
    maps: tuple[np.ndarray, np.ndarray],
    same: np.ndarray,
    threshold: float,
    filling: str,
    steps: int = STEPS,
    seed: int = 0,
    reveal: bool = False,
) -> AccuracyCurve:
    """Remove the pixels of both faces from the highest value of their maps on.

    Args:
        verifier: anything with `embed` and `compare_pairs`, as `Verifier`.
        faces: A and B of each pair, each uint8 (P, h, w, 3).
        maps: of A and of B, each float (P, k, l), of whatever size.
        same: bool (P,).
        threshold: a pair is accepted if its score reaches it.
        filling: "black" or "blur"; see `filling_of`.
        steps: the shares are 0, 1/steps, … 1.
        seed: of the interval, and of the order of pixels of equal value.
        reveal: these pixels instead, in faces that are otherwise removed.

    Raises:
        XcosError: there is no such filling.
        ValueError: the numbers of faces, maps and flags differ, or there are none.
    """
    same = np.asarray(same, bool)
    counts = {len(x) for x in (*faces, *maps, same)}
    if len(counts) != 1 or not len(same):
        raise ValueError(
            "Expected as many faces A as faces B, maps and flags, at least one. Received: "
            f"{[len(x) for x in (*faces, *maps, same)]}"
        )
    shares = np.linspace(0, 1, steps + 1)
    right = np.empty((len(same), steps + 1))
    for pair in range(len(same)):
        features = [
            embed_all(verifier, _stages(side[pair], values[pair], shares, filling, seed, reveal))
            for side, values in zip(faces, maps, strict=True)
        ]
        right[pair] = (verifier.compare_pairs(*features) >= threshold) == same[pair]
    # A curve's area is linear in it, so the mean of the pairs' areas is the area of their mean.
    pair_areas = ((right[:, 1:] + right[:, :-1]) / 2).mean(axis=1)
    return AccuracyCurve(shares, right.mean(axis=0), mean_over_pairs(pair_areas, seed), pair_areas)


insertion_curve = partial(deletion_curve, reveal=True)
"""Reveal the pixels of both faces from the highest value of their maps on."""


def removal_order(values: np.ndarray, shape: tuple[int, int], seed: int = 0) -> np.ndarray:
    """Return which pixel goes when: integers of a face's shape, 0 for the highest value.

    Pixels of equal value go in random order, the same for all maps: from left to right and top to
    bottom they would make a pattern of their own.
    """
    tie_breaker = np.random.default_rng(seed).permutation(math.prod(shape))
    ranked = np.lexsort((tie_breaker, -at_pixels(values, shape).ravel()))
    return np.argsort(ranked).reshape(shape)


def _stages(face, values, shares, filling, seed, reveal) -> np.ndarray:
    """Return the face at each share, uint8 (len(shares), h, w, 3)."""
    order = removal_order(values, face.shape[:2], seed)
    taken = order < np.rint(shares * order.size)[:, np.newaxis, np.newaxis]
    visible = taken if reveal else ~taken
    return np.where(visible[..., np.newaxis], face, filling_of(face, filling))
