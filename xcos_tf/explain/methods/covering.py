"""What covering places of a face, one face at a time, does to the score: occlusion and CorrRISE."""

from abc import abstractmethod

import numpy as np

from xcos_tf.explain.explanation import Findings, Method
from xcos_tf.explain.probing import cover, scores_of_variants, square_masks

PATCH = 16  # pixels: a cell of the 7×7 grid of a 112×112 face
STRIDE = 8

MASKS = 500
SQUARES = 10  # of a mask; together they cover about a third of a face
SIDE = 30  # of a square, pixels


class Covering(Method):
    """Covers A by masks while B stays as it is, then B by the same while A does.

    A subclass gives `grey`, the value that covers, and the two methods below.
    """

    grey: int

    @abstractmethod
    def masks(self, side: int) -> np.ndarray:
        """Return masks of a face of `side` × `side` pixels, bool (N, side, side): what to cover."""

    @abstractmethod
    def map_of(self, masks: np.ndarray, scores: np.ndarray, whole: float) -> np.ndarray:
        """Return the map (h, w) that follows from the scores (N,) under masks, and without one."""

    def find(self, verifier, face_a, face_b) -> Findings:
        masks = self.masks(len(face_a))
        # A face as it is comes first, so that its score is of the same batches as the others.
        masks = np.concatenate([np.zeros_like(masks[:1]), masks])
        with_a = scores_of_variants(verifier, cover(face_a, masks, self.grey), face_b[np.newaxis])
        with_b = scores_of_variants(verifier, face_a[np.newaxis], cover(face_b, masks, self.grey))
        maps = tuple(self.map_of(masks[1:], x[1:], x[0]) for x in (with_a, with_b))
        return Findings(maps, with_a[0], forward=2 * len(masks) + 2)


class OcclusionSensitivity(Covering):
    """How much the score drops when a grey patch covers a place, the mean over such patches.

    Source: M. D. Zeiler and R. Fergus, "Visualizing and Understanding Convolutional Networks",
    ECCV 2014, section 4.2, here with the score of a pair in the place of a class's.
    """

    name = "occlusion"
    grey = 128

    def masks(self, side):
        return square_masks(side, PATCH, STRIDE)

    def map_of(self, masks, scores, whole):
        """Return the mean drop of the score over the masks that cover a pixel, else 0."""
        drops = np.tensordot(whole - scores, masks.astype(np.float64), 1)
        return drops / np.maximum(masks.sum(axis=0), 1)


class CorrRise(Covering):
    """Where a face being visible goes with a higher score, over random masks.

    Source: Y. Lu, Z. Xu and T. Ebrahimi, "Towards Visual Saliency Explanations of Face
    Verification", WACV 2024. Positive correlations are their similarity map, negative ones their
    dissimilarity map. The number and the size of the black squares are of our choice. They may
    reach over the edges, so that each pixel is covered equally often: if they had to lie inside, a
    corner would hardly ever be, and its correlation be noise.

    Args:
        masks: how many for each face; cost and precision grow with it.
        seed: of the masks, which are the same for both faces and for all pairs.
    """

    name = "corrrise"
    grey = 0

    def __init__(self, masks: int = MASKS, seed: int = 0):
        self._count, self._seed = masks, seed

    def masks(self, side):
        """Return masks of `SQUARES` random squares each, any pixel covered equally often."""
        random = np.random.default_rng(self._seed)
        masks = np.zeros((self._count, side, side), bool)
        corners = random.integers(1 - SIDE, side, (self._count, SQUARES, 2))
        for mask, places in zip(masks, corners, strict=True):
            for top, left in places:
                mask[max(top, 0) : top + SIDE, max(left, 0) : left + SIDE] = True
        return masks

    def map_of(self, masks, scores, whole):
        """Return Pearson's correlation of a pixel being visible with the score, float64 (h, w).

        It is 0 where the pixel is always or never covered, or where the score is always the same.
        """
        visible = (~masks).reshape(len(masks), -1).astype(np.float32)
        centred = scores - scores.mean()
        share = visible.mean(axis=0, dtype=np.float64)
        covariance = centred @ visible / len(masks)  # of centred scores, so visibility need not be
        deviation = np.sqrt(share * (1 - share)) * scores.std()
        correlation = np.zeros_like(covariance)
        # A score that is the same but for rounding has no correlation with anything.
        np.divide(covariance, deviation, out=correlation, where=deviation > 1e-7)
        return correlation.reshape(masks.shape[1:])
