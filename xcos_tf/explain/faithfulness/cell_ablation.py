"""Cell ablation: does a map rank the cells as covering each of them changes the score?"""

import numpy as np

from xcos_tf.explain.faithfulness.fills import removed
from xcos_tf.explain.faithfulness.maps import pooled, rank_correlation
from xcos_tf.explain.probing import CELLS, scores_of_variants, square_masks
from xcos_tf.verifier import Verifier


def true_drops(verifier: Verifier, face_a: np.ndarray, face_b: np.ndarray, fill: str) -> np.ndarray:
    """Return how much the score drops when one cell of face A is covered, float64 (7, 7).

    It does not depend on a method, so measure it once for all of them.

    Args:
        verifier: anything with `embed` and `compare_pairs`, as `Verifier`.
        face_a, face_b: uint8 (h, h, 3), h a multiple of `CELLS`.
        fill: see `removed`.

    Raises:
        XcosError: there is no such fill.
    """
    cell = len(face_a) // CELLS
    masks = square_masks(len(face_a), cell, cell)
    variants = np.concatenate([face_a[np.newaxis], removed(face_a, masks, fill)])
    scores = scores_of_variants(verifier, variants, face_b[np.newaxis])
    return (scores[0] - scores[1:]).reshape(CELLS, CELLS)


def agreement(values: np.ndarray, drops: np.ndarray) -> float:
    """Return the rank correlation of a map of face A, of any size, with its `true_drops`."""
    return rank_correlation(pooled(values, CELLS), drops)
