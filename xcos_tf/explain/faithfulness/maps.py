"""Maps of any size, fine as a face or coarse as its cells, and how alike two rank their places."""

import numpy as np
from PIL import Image
from scipy.stats import spearmanr


def at_pixels(values: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Return a map of a value for each pixel of a face, bilinear between a coarse map's cells.

    Args:
        values: float (h, w), over the whole face.
        shape: height and width of the face, pixels.

    Returns:
        float32, of that shape.
    """
    image = Image.fromarray(np.asarray(values, np.float32))
    return np.array(image.resize(shape[::-1], Image.Resampling.BILINEAR))


def pooled(values: np.ndarray, cells: int) -> np.ndarray:
    """Return the mean of a map over each cell of a grid, exact for any size of the map.

    Args:
        values: float (h, w), over the whole face.
        cells: along a side.

    Returns:
        float64 (cells, cells).
    """
    height, width = np.shape(values)
    # Each value in `cells` parts a side, so that no part lies across two cells.
    parts = np.repeat(np.repeat(np.asarray(values, np.float64), cells, axis=0), cells, axis=1)
    return parts.reshape(cells, height, cells, width).mean(axis=(1, 3))


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
