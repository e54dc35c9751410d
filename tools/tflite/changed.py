"""How many decisions a compressed model changes, which accuracy hides where they cancel out."""

from typing import NamedTuple

import numpy as np

from xcos_tf.evaluation.metrics import KFoldAccuracy
from xcos_tf.evaluation.pairs import PairSet


class Judged(NamedTuple):
    """A model's scores of pairs, and what each fold of them was judged by.

    Attributes:
        scores: float (P,).
        folds: of those scores.
    """

    scores: np.ndarray
    folds: KFoldAccuracy


def changed(model: Judged, base: Judged, pairs: PairSet) -> np.ndarray:
    """Return the share of each fold's pairs that two models decide differently.

    Each decides by its own threshold for the fold. Genuine and impostor pairs count alike. Dutta et
    al., "Accuracy is Not All You Need" (NeurIPS 2024), name this share flips, and show that it
    tells compressed models apart where their accuracy does not.

    Returns:
        float64 (folds,), in [0, 1], folds in ascending order of their number.
    """
    shares = []
    for k, *thresholds in zip(
        np.unique(pairs.fold), model.folds.thresholds, base.folds.thresholds, strict=True
    ):
        members = pairs.fold == k
        same = pairs.same[members]
        own, bases = (
            judged.scores[members] >= threshold
            for judged, threshold in zip((model, base), thresholds, strict=True)
        )
        differ = own != bases
        shares.append((differ[same].mean() + differ[~same].mean()) / 2)
    return np.array(shares)
