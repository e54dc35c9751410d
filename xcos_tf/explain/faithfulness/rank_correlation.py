"""How alike two maps rank their places."""

import numpy as np
from scipy.stats import spearmanr


def rank_correlation(first: np.ndarray, second: np.ndarray) -> float:
    """Return Spearman's rank correlation of two maps, in [−1, 1].

    It is 0 where a map is the same everywhere: it ranks nothing.

    Args:
        first, second: float, the same shape.
    """
    first, second = np.ravel(first), np.ravel(second)
    if np.ptp(first) == 0 or np.ptp(second) == 0:
        return 0.0
    return float(spearmanr(first, second).statistic)
