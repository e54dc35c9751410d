"""CorrRISE: where a face being visible goes with a higher score, over random masks.

Source: Y. Lu, Z. Xu and T. Ebrahimi, "Towards Visual Saliency Explanations of Face Verification",
WACV 2024. Positive correlations are their similarity map, negative ones their dissimilarity map.
Random black squares cover A while B stays as it is, then B while A does. The number and the size
of squares are of our choice. They may reach over the edges, so that each pixel is covered equally
often: if they had to lie inside, a corner would hardly ever be, and its correlation be noise.
"""

import numpy as np

from xcos_tf.explain.explanation import Explanation
from xcos_tf.explain.methods.black_box import explain_by_covering
from xcos_tf.verifier import Verifier

MASKS = 500
SQUARES = 10  # of a mask; together they cover about a third of a face
SIDE = 30  # of a square, pixels
BLACK = 0


class CorrRise:
    """See the module.

    Args:
        masks: how many for each face; cost and precision grow with it.
        seed: of the masks, which are the same for both faces and for all pairs.
    """

    name = "corrrise"
    symmetric = True
    needs = "any"

    def __init__(self, masks: int = MASKS, seed: int = 0):
        self._masks, self._seed = masks, seed

    def explain(self, verifier: Verifier, face_a: np.ndarray, face_b: np.ndarray) -> Explanation:
        """Explain a pair, with signed maps of a pixel each; see `Method`."""
        masks = random_masks(self._masks, len(face_a), np.random.default_rng(self._seed))
        return explain_by_covering(
            self.name, verifier, (face_a, face_b), masks, BLACK, visibility_correlation
        )


def random_masks(count: int, side: int, random: np.random.Generator) -> np.ndarray:
    """Return masks of `SQUARES` random squares each.

    Returns:
        bool (count, side, side), true where covered; every pixel with the same probability.
    """
    masks = np.zeros((count, side, side), bool)
    corners = random.integers(1 - SIDE, side, (count, SQUARES, 2))
    for mask, places in zip(masks, corners, strict=True):
        for top, left in places:
            mask[max(top, 0) : top + SIDE, max(left, 0) : left + SIDE] = True
    return masks


def visibility_correlation(masks: np.ndarray, scores: np.ndarray, _whole: float) -> np.ndarray:
    """Return Pearson's correlation of a pixel being visible with the score.

    Args:
        masks: bool (N, h, w), true where covered.
        scores: float (N,).

    Returns:
        float64 (h, w) in [−1, 1]; 0 where the pixel is always or never covered, or where the
        score is the same throughout.
    """
    visible = (~masks).reshape(len(masks), -1).astype(np.float32)
    centred = scores - scores.mean()
    share = visible.mean(axis=0, dtype=np.float64)
    covariance = centred @ visible / len(masks)  # of centred scores, so visibility need not be
    deviation = np.sqrt(share * (1 - share)) * scores.std()
    correlation = np.zeros_like(covariance)
    # A score that is the same but for rounding has no correlation with anything.
    varies = deviation > 1e-7
    np.divide(covariance, deviation, out=correlation, where=varies)
    return correlation.reshape(masks.shape[1:])
