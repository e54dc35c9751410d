"""Shares and means over pairs with 95 % confidence intervals.

Those of shares hold however few the pairs are. All intervals take the pairs as drawn independently.
Pairs that share a person or a photo say less than that, so on such sets an interval is the least
that is uncertain.
"""

import math
from typing import NamedTuple

import numpy as np
from scipy.stats import beta, binom

from xcos_tf.metrics.checks import split
from xcos_tf.metrics.rates import Rate, allowed

TAIL = 0.025  # the chance to miss the truth on either side
RESAMPLES = 2000


def share(count: int, total: int) -> Rate:
    """Return count/total with the exact interval of a binomial share.

    It is C. J. Clopper and E. S. Pearson's, "The use of confidence or fiducial limits illustrated
    in the case of the binomial", Biometrika 26(4), 1934: 95 % or more, whatever the true share.
    For error rates at a threshold that was chosen beforehand.

    Args:
        count: of pairs, 0 ≤ count ≤ total.
        total: at least 1.
    """
    return Rate(count / total, _lower(count, total, TAIL), _upper(count, total, TAIL))


def tar_at_far_rate(scores: np.ndarray, same: np.ndarray, far: float) -> Rate | None:
    """Return TAR at a FAR with an interval for what it would be with all pairs of the world.

    Both the threshold and the share are estimates. The true threshold lies between two of the
    impostors' order statistics, whose ranks follow from the binomial distribution of how many
    impostors exceed it (H. A. David and H. N. Nagaraja, "Order Statistics", 3rd ed., 2003, section
    7.1; it holds for any distribution, with ties too). At the upper one the share is bounded from
    below, at the lower one from above, as in `share`. A rank may err with half of `TAIL`, and the
    bound of the share with the rest, so that the interval misses the truth with 5 % at the most
    (Bonferroni). With fewer than about 4.4/far impostors (437 for FAR 1e-2) it is too likely that
    none of them exceeds the true threshold; nothing then bounds it from above, and `low` is 0.

    Args:
        scores: float (P,), higher for more alike.
        same: bool (P,).
        far: false accept rate, 0 < far < 1.

    Returns:
        The rate, whose value is that of `metrics.tar_at_far`; None with fewer than 1/far impostor
        pairs.

    Raises:
        XcosError: the pairs are of one kind only.
        ValueError: shapes or types are wrong, a score is not finite, or `far` is out of range.
    """
    genuine, impostor = split(scores, same)
    if not 0 < far < 1:
        raise ValueError(f"Expected 0 < far < 1. Received: far={far}")
    count, total = len(impostor), len(genuine)
    if allowed(count, far) < 1:
        return None
    # Ranks from the highest score, 1, to the lowest; 0 is +∞ and count + 1 is −∞.
    descending = np.concatenate([[np.inf], np.sort(impostor)[::-1], [-np.inf]])
    # The true threshold is above rank r if fewer than r impostors reach it, and below it if r or
    # more exceed it: the last and the first rank for which that is rare enough.
    highest = int(binom.ppf(TAIL / 2, count, far))
    lowest = int(binom.isf(TAIL / 2, count, far)) + 1
    accepted = [
        np.count_nonzero(genuine > descending[rank])
        for rank in (highest, allowed(count, far) + 1, lowest)
    ]
    return Rate(
        accepted[1] / total,
        _lower(accepted[0], total, TAIL - float(binom.cdf(highest - 1, count, far))),
        _upper(accepted[2], total, TAIL - float(binom.sf(lowest - 1, count, far))),
    )


def format_rate(rate: Rate) -> str:
    """Return a rate in per cent, such as "95.60 % (93.1–97.4)"; the interval is rounded outwards.

    It has two decimals where the rate is under 1 % or over 99 %: "0.10 % (0.02–0.30)".
    """
    decimals = 1 if 0.01 <= rate.value <= 0.99 else 2
    scale = 10**decimals
    # Rounded first, for products such as 100 × 0.29.
    low = math.floor(round(rate.low * 100 * scale, 6)) / scale
    high = math.ceil(round(rate.high * 100 * scale, 6)) / scale
    return f"{100 * rate.value:.2f} % ({low:.{decimals}f}–{high:.{decimals}f})"


class Estimate(NamedTuple):
    """A mean over pairs, and its 95 % confidence interval from `low` to `high`."""

    value: float
    low: float
    high: float


def mean_over_pairs(values: np.ndarray, seed: int = 0) -> Estimate:
    """Return a mean with its percentile interval by the bootstrap over pairs.

    Source: B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3.

    The values are float (P,), one for each pair, P ≥ 1; else ValueError is raised.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"Expected one value a pair or more. Received: shape={values.shape}")
    equal = np.full(len(values), 1 / len(values))
    times_drawn = np.random.default_rng(seed).multinomial(len(values), equal, size=RESAMPLES)
    low, high = np.quantile(times_drawn @ values / len(values), (0.025, 0.975))
    return Estimate(float(values.mean()), float(low), float(high))


def _lower(count: int, total: int, tail: float) -> float:
    """Return the share under which as many as `count` turn up with this chance."""
    return float(beta.ppf(tail, count, total - count + 1)) if count > 0 else 0.0


def _upper(count: int, total: int, tail: float) -> float:
    """Return the share over which as few as `count` turn up with this chance."""
    return float(beta.isf(tail, count + 1, total - count)) if count < total else 1.0
