"""Which part of a face lies in which cell of a grid over an aligned face.

"Left" and "right" are the viewer's, everywhere: the left eye is the one on the left side of the
picture, which belongs to the right half of the person's body (unless the photo is mirrored).
"""

import numpy as np

# The aligned face of 112×112 pixels in squares of 16. In each lies, by the template's landmarks
# (eyes at 38, 52 and 74, 52; tip of the nose at 56, 72; corners of the mouth at 42, 92 and 71, 92)
# and by the customary proportions of a face (hairline, brows, base of the nose and chin are about
# equally far apart; brows lie a third of the distance between the eyes above them):
# fmt: off
_TEMPLATE = np.array([
    ["hairline", "hairline", "hairline", "hairline", "hairline", "hairline", "hairline"],
    ["left temple", "forehead", "forehead", "forehead", "forehead", "forehead", "right temple"],
    ["left temple", "left brow", "left brow", "between the brows", "right brow", "right brow",
     "right temple"],
    ["left ear", "left temple", "left eye", "nose bridge", "right eye", "right temple",
     "right ear"],
    ["left ear", "left cheek", "left cheek", "nose tip", "right cheek", "right cheek",
     "right ear"],
    ["left jaw", "left jaw", "left mouth corner", "mouth", "right mouth corner", "right jaw",
     "right jaw"],
    ["left jaw", "left jaw", "chin", "chin", "chin", "right jaw", "right jaw"],
])
# fmt: on


def region_map(height: int, width: int) -> np.ndarray:
    """Return the name of the face part at the centre of each cell.

    The names are the same 21 for all grids; a coarse grid, whose cells hold several parts each,
    does not use all of them.

    Args:
        height, width: of the grid that divides the aligned face evenly, each ≥ 1.

    Returns:
        str (height, width); row 0 is the top of the picture, column 0 its left side.

    Raises:
        ValueError: a size is below 1.
    """
    if height < 1 or width < 1:
        raise ValueError(f"Expected a grid of at least 1×1. Received: {height=}, {width=}")
    rows, columns = (
        (2 * np.arange(size) + 1) * len(_TEMPLATE) // (2 * size) for size in (height, width)
    )
    return _TEMPLATE[np.ix_(rows, columns)]


def region_masks(height: int, width: int) -> dict[str, np.ndarray]:
    """Return {region: its cells, bool (height, width)}, in reading order of the regions."""
    regions = region_map(height, width)
    return {name: regions == name for name in dict.fromkeys(regions.ravel().tolist())}


def region_means(values: np.ndarray, weights: np.ndarray) -> dict[str, float]:
    """Return {region: weighted mean of its cells}, in reading order of the regions.

    Args:
        values: float (h, w).
        weights: float (h, w), ≥ 0; where all those of a region are 0, its mean is the plain one.

    Raises:
        ValueError: the shapes differ, or a weight is negative.
    """
    values, weights = np.asarray(values, np.float64), np.asarray(weights, np.float64)
    if values.shape != weights.shape or values.ndim != 2 or (weights < 0).any():
        raise ValueError(
            "Expected two maps of the same shape (h, w) and weights ≥ 0. "
            f"Received: {values.shape=}, {weights.shape=}, {weights.min()=}"
        )
    means = {}
    for name, inside in region_masks(*values.shape).items():
        counted = weights[inside] if weights[inside].any() else np.ones(inside.sum())
        means[name] = float(np.average(values[inside], weights=counted))
    return means
