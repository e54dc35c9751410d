"""Dealing pairs into the folds of a cross-validation."""

import numpy as np

FOLDS = 10


def deal_folds(same: np.ndarray) -> np.ndarray:
    """Deal pairs into 10 folds in their order, each kind by itself.

    Each fold has a tenth of the genuine and a tenth of the impostor pairs, the first ones of each
    in fold 0; where a kind cannot be parted evenly, earlier folds have one more. LFW's pairs, told
    without their folds, so come back into the folds they have. Where there are fewer than 10 of a
    kind, there are as many folds.

    Args:
        same: bool (P,), with both kinds among them.

    Returns:
        int64 (P,), from 0.
    """
    fold = np.empty(len(same), np.int64)
    folds = min(FOLDS, int(same.sum()), int((~same).sum()))
    for kind in (True, False):
        fold[same == kind] = tenths(int(np.sum(same == kind)), folds)
    return fold


def tenths(count: int, folds: int = FOLDS) -> np.ndarray:
    """Return the fold of each of `count` pairs, dealt in their order, int64 (count,).

    Earlier folds have one more where it cannot be parted evenly, as in scikit-learn's `KFold`.
    """
    parts = np.array_split(np.arange(count), folds)
    return np.repeat(np.arange(folds), [len(part) for part in parts])


def dealt(fold: np.ndarray) -> str:
    """Return a sentence for the report about what `deal_folds` did."""
    return (
        f"The pairs come without folds; they were dealt into {fold.max() + 1} in their order, "
        "genuine and impostor pairs apart, so that each fold has its share of both."
    )
