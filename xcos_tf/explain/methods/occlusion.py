"""Occlusion sensitivity of a pair: how much the score drops when a grey patch covers a place.

Source: M. D. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional Networks",
ECCV 2014, section 4.2, here with the score of a pair in the place of a class's.
"""

import numpy as np

from xcos_tf.explain.explanation import Explanation
from xcos_tf.explain.methods.black_box import explain_by_covering
from xcos_tf.explain.probing import square_masks
from xcos_tf.verifier import Verifier

PATCH = 16  # pixels: a cell of the 7×7 grid of a 112×112 face
STRIDE = 8
GREY = 128


class OcclusionSensitivity:
    """See the module; a place's value is the mean drop over the patches that cover it."""

    name = "occlusion"
    symmetric = True
    needs = "any"

    def explain(self, verifier: Verifier, face_a: np.ndarray, face_b: np.ndarray) -> Explanation:
        """Explain a pair, with signed maps of a pixel each; see `Method`."""
        masks = square_masks(len(face_a), PATCH, STRIDE)
        return explain_by_covering(self.name, verifier, (face_a, face_b), masks, GREY, mean_drop)


def mean_drop(masks: np.ndarray, scores: np.ndarray, whole: float) -> np.ndarray:
    """Return the mean drop of the score over the masks that cover a pixel.

    Args:
        masks: bool (N, h, w), true where covered.
        scores: float (N,).
        whole: the score without a mask.

    Returns:
        float64 (h, w); 0 where no mask covers.
    """
    drops = np.tensordot(whole - scores, masks.astype(np.float64), 1)
    return drops / np.maximum(masks.sum(axis=0), 1)
