"""What is measured on each fold of a set, as one figure."""

import numpy as np
from scipy.stats import sem


def mean_and_error(values: np.ndarray | None) -> tuple[float | None, float | None]:
    """Return the mean over folds and its standard error, or nothing of nothing.

    Args:
        values: float (folds,), or None.
    """
    return (None, None) if values is None else (float(values.mean()), float(sem(values)))
