"""Which face of each pair is covered, in measurements under occlusion and in masked copies."""

from dataclasses import dataclass

import numpy as np

from xcos_tf.evaluation.pairs import PairSet


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
