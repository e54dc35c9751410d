"""A mean over pairs and how sure it is."""

from dataclasses import dataclass

import numpy as np

RESAMPLES = 2000


@dataclass(frozen=True)
class Estimate:
    """A mean over pairs, with its 95 % confidence interval.

    Attributes:
        value: the mean.
        low, high: of the interval.
    """

    value: float
    low: float
    high: float


def mean_over_pairs(values: np.ndarray, seed: int = 0) -> Estimate:
    """Return a mean with its percentile interval by the bootstrap over pairs.

    Source: B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3.
    It takes the pairs as drawn independently.

    Args:
        values: float (P,), one for each pair, P ≥ 1.
        seed: of the draws.

    Raises:
        ValueError: there are no values.
    """
    values = np.asarray(values, np.float64)
    if values.ndim != 1 or not len(values):
        raise ValueError(f"Expected one value a pair or more. Received: shape={values.shape}")
    equal = np.full(len(values), 1 / len(values))
    times_drawn = np.random.default_rng(seed).multinomial(len(values), equal, size=RESAMPLES)
    low, high = np.quantile(times_drawn @ values / len(values), (0.025, 0.975))
    return Estimate(float(values.mean()), float(low), float(high))
