"""Error rates from histograms of scores, for more pairs than a computer holds scores of.

A histogram says of each pair which bin its score is in, no more. Pairs in different bins are in
their true order and pairs in one bin in an unknown one, so each measure lies between two bounds,
which hold for certain: the `low` and `high` of a `Rate` here. At the edges of bins FMR and FNMR are
exact.
"""

import numpy as np

from xcos_tf.metrics.rates import Rate, allowed

# A power of two, so that the edges are floats and a score's bin is found without rounding.
BINS = 4096


def bin_of(scores: np.ndarray) -> np.ndarray:
    """Return the bin of each score, as an integer array of the same shape.

    Bin k holds scores s with −1 + k/2048 ≤ s < −1 + (k + 1)/2048; the last holds 1 too. What lies
    beyond, by rounding or because a cell of P weighs less than nothing, is in the outermost bins.

    Args:
        scores: float32 or float64, not NaN.
    """
    half = BINS // 2
    return np.clip(np.floor(scores * half) + half, 0, BINS - 1).astype(np.intp)


def auc(genuine: np.ndarray, impostor: np.ndarray) -> Rate:
    """Return the area under the ROC curve; see `metrics.auc`.

    The value counts pairs of one bin as ties. Either bound takes all of those for one order.

    Args:
        genuine, impostor: int64 (BINS,), numbers of scores in each bin; neither without any.
    """
    total = float(genuine.sum()) * float(impostor.sum())
    below = np.cumsum(impostor) - impostor
    # In floating point: the products of many pairs leave int64.
    certain = float(genuine.astype(np.float64) @ below) / total
    unknown = float(genuine.astype(np.float64) @ impostor) / total
    return Rate(certain + unknown / 2, certain, certain + unknown)


def eer(genuine: np.ndarray, impostor: np.ndarray) -> Rate:
    """Return the equal error rate; see `metrics.eer`.

    FMR and FNMR are exact at both edges of the bin within which they cross, and the crossing is
    between them. The value takes the ROC curve for straight there.

    Args:
        genuine, impostor: see `auc`.
    """
    fmr, tar = _reaching(impostor) / impostor.sum(), _reaching(genuine) / genuine.sum()
    fnmr = 1 - tar
    # As the threshold falls from edge to edge, FMR − FNMR climbs from −1 to 1.
    after = int(np.argmax(fmr >= fnmr))
    before = after - 1
    low = float(max(fmr[before], fnmr[after]))
    high = float(min(fmr[after], fnmr[before]))
    gap = fnmr - fmr
    share = gap[before] / (gap[before] - gap[after])
    value = fmr[before] + share * (fmr[after] - fmr[before])
    return Rate(float(np.clip(value, low, high)), low, high)


def tar_at_far(genuine: np.ndarray, impostor: np.ndarray, far: float) -> Rate | None:
    """Return the share of genuine pairs accepted where at most `far` of the impostors are.

    The highest impostor score that has to be rejected is in one bin, and genuine scores in that
    bin may lie on either side of it. The value is the lower bound: the lowest edge of a bin at
    which FAR is small enough is a threshold that keeps this promise.

    Args:
        genuine, impostor: see `auc`.
        far: false accept rate, 0 < far < 1.

    Returns:
        The rate; None with fewer than 1/far impostor pairs.
    """
    most = allowed(int(impostor.sum()), far)
    if most < 1:
        return None
    # How many of the topmost bins have no more impostors in them than may pass.
    bins = int(np.searchsorted(_reaching(impostor), most, side="right")) - 1
    low, high = (_reaching(genuine)[[bins, bins + 1]] / genuine.sum()).tolist()
    return Rate(low, low, high)


def _reaching(counts: np.ndarray) -> np.ndarray:
    """Return how many scores reach each edge, from the highest to the lowest: int64 (BINS + 1,)."""
    return np.concatenate([[0], np.cumsum(counts[::-1])])
