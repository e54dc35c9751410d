"""ROC and DET: error rates at every threshold that parts the pairs differently, for drawing."""

from dataclasses import dataclass

import numpy as np

from xcos_tf.metrics.checks import split

DRAWN_POINTS = 400


@dataclass(frozen=True)
class Curve:
    """Error rates while the threshold falls, so that FMR rises and FNMR falls.

    Attributes:
        thresholds: float64 (K,), descending; a pair passes where score ≥ threshold.
        fmr, fnmr: float64 (K,), in [0, 1], at each threshold.
    """

    thresholds: np.ndarray
    fmr: np.ndarray
    fnmr: np.ndarray

    def __len__(self) -> int:
        return len(self.thresholds)

    @property
    def tar(self) -> np.ndarray:
        """True accept rate, 1 − FNMR."""
        return 1 - self.fnmr

    def take(self, which: slice | np.ndarray) -> "Curve":
        return Curve(self.thresholds[which], self.fmr[which], self.fnmr[which])


def roc(scores: np.ndarray, same: np.ndarray) -> Curve:
    """Return the whole curve, from "no pair passes" (threshold +∞) to "all do".

    There is a point for each distinct score: pairs that score the same pass together.

    Args:
        scores: float (P,), higher for more alike.
        same: bool (P,).

    Raises:
        XcosError: the pairs are of one kind only.
        ValueError: shapes or types are wrong, or a score is not finite.
    """
    genuine, impostor = split(scores, same)
    thresholds = np.unique(np.concatenate([genuine, impostor]))[::-1]
    rejected = np.searchsorted(np.sort(genuine), thresholds, side="left")
    passing = len(impostor) - np.searchsorted(np.sort(impostor), thresholds, side="left")
    return Curve(
        np.concatenate([[np.inf], thresholds]),
        np.concatenate([[0.0], passing / len(impostor)]),
        np.concatenate([[1.0], rejected / len(genuine)]),
    )


def det(scores: np.ndarray, same: np.ndarray) -> Curve:
    """Return the part of the curve where one error is traded for the other.

    It begins at the last point without a false match and ends at the first without a false
    non-match; its axes are drawn by logarithm or normal deviate, which have no room for 0. Errors
    are as in `roc`.
    """
    curve = roc(scores, same)
    first = np.flatnonzero(curve.fmr == 0)[-1]
    last = np.flatnonzero(curve.fnmr == 0)[0]
    return curve.take(slice(first, last + 1))


def thin(curve: Curve, points: int = DRAWN_POINTS) -> Curve:
    """Return at most so many points of a curve, which look the same when drawn.

    They are spread evenly along the curve, whose length is measured on plain and logarithmic axes
    of both errors, each axis scaled to 1. No axis moves by more than 8/points from a point that is
    kept to the next, unless they are neighbours in the whole curve too; both ends are kept.

    Args:
        curve: of `roc` or `det`.
        points: at least 4.
    """
    if len(curve) <= points:
        return curve
    along = sum(map(_axis, (curve.fmr, curve.fnmr))) + sum(map(_log_axis, (curve.fmr, curve.fnmr)))
    stops = np.linspace(along[0], along[-1], points // 2)
    # Both ends of the step that a stop falls into, so that long steps stay as they are.
    after = np.searchsorted(along, stops, side="left")
    before = np.searchsorted(along, stops, side="right") - 1
    return curve.take(np.union1d(before, after))


def _log_axis(rate: np.ndarray) -> np.ndarray:
    """Return how far along a logarithmic axis each is; 0 lies as far as half the least error."""
    return _axis(np.log(np.maximum(rate, rate[rate > 0].min(initial=1) / 2)))


def _axis(rate: np.ndarray) -> np.ndarray:
    """Return how far each is from the first, where the last is 1 (or all are 0)."""
    way = np.abs(rate - rate[0])
    return way / (way[-1] or 1)
