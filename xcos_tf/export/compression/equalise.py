"""The same network in other numbers: ones that rounding and pruning treat alike.

Folded batch normalisation leaves channels of very different size in one tensor, and PReLU slopes
from −9 to 9. PReLU allows both to be changed without changing what the network computes:
p(s·x) = s·p(x) for s > 0 with the same slope a, and p(x) = −a·q(−x) where q has the slope 1/a. So a
channel may be scaled or turned over before a PReLU and back in the weights of the operation
behind it (Nagel et al., Data-Free Quantization Through Weight Equalization and Bias Correction,
ICCV 2019, for ReLU).
"""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from xcos_tf.export.compression.layout import prelu_links, residual_streams
from xcos_tf.export.compression.operations import measured


def equalised(
    weights: Mapping[str, np.ndarray],
    faces: np.ndarray,
    typical: bool = False,
    cells: bool = False,
) -> dict[str, np.ndarray]:
    """Return weights of the same network whose slopes and channels are of like size.

    Args:
        weights: of `grid_feature`, from `simple_weights`.
        faces: float32 (N, 112, 112, 3) in [−1, 1], to see how large each channel gets.
        typical: whether a channel's size is the root mean square of what the next operation takes,
            rather than the largest that a PReLU takes. Then a weight's magnitude says how much it
            adds to a sum, which is what pruning and clustering go by; rounding to int8 goes by the
            largest.
        cells: whether the cells of the grid are made alike as the faces show them, not by their
            scales alone; for faces of many people.

    Returns:
        Weights with every PReLU slope in [−1, 1], and each channel around a PReLU, of a residual
        stream, and of the grid, as large as the others of its tensor.
    """
    weights = {name: np.array(array, np.float32) for name, array in weights.items()}
    for giver, taker in prelu_links():
        _bound_slopes(weights, giver, taker)
    sizes = channel_sizes(weights, faces, typical)
    for giver, taker in prelu_links():
        size = _relative(sizes[f"{giver}_prelu" if typical else giver])
        _scale_out(weights, giver, 1 / size)
        _scale_in(weights, taker, size)
    for givers, takers in residual_streams():
        sums = [name.replace("_project", "_add") for name in givers]
        size = _relative(np.max([sizes[x] for x in (*givers, *sums) if x in sizes], axis=0))
        for giver in givers:
            _scale_out(weights, giver, 1 / size)
        for taker in takers:
            _scale_in(weights, taker, size)
    _equalise_head(weights)
    if cells:
        _scale_cells(weights, cell_sizes(weights, faces))
    size = _relative(channel_sizes(weights, faces, typical)["conv"])
    weights["conv/kernel"] /= size
    weights["cell_restore/factor"] *= size
    return weights


def channel_sizes(
    weights: Mapping[str, np.ndarray], faces: np.ndarray, typical: bool = False
) -> dict[str, np.ndarray]:
    """Return {operation: float32 (channels,)} of what each gives for these faces.

    That is the largest magnitude, or if `typical` the root mean square.
    """
    if typical:
        seen = measured(
            weights, faces, lambda x: tf.reduce_mean(tf.square(x), (1, 2)).numpy().sum(0)
        )
        return {name: np.sqrt(np.sum(sums, axis=0) / len(faces)) for name, sums in seen.items()}
    seen = measured(weights, faces, lambda x: tf.reduce_max(tf.abs(x), (0, 1, 2)).numpy())
    return {name: np.max(sizes, axis=0) for name, sizes in seen.items()}


def cell_sizes(weights: Mapping[str, np.ndarray], faces: np.ndarray) -> np.ndarray:
    """Return float32 (7, 7, 1), the largest magnitude that `cell_scale` gives in each cell."""
    seen = measured(weights, faces, lambda x: tf.reduce_max(tf.abs(x), (0, 3)).numpy())
    return np.max(seen["cell_scale"], axis=0)[..., np.newaxis]


def _relative(size):
    """Return positive sizes whose geometric mean is 1; a channel that is always 0 stays small."""
    size = np.maximum(size, 1e-3 * size.max())
    return (size / np.exp(np.log(size).mean())).astype(np.float32)


def _bound_slopes(weights, giver, taker):
    """Turn channels over whose slope is beyond ±1; there the slope becomes its inverse."""
    alpha = weights[f"{giver}_prelu/alpha"]
    slope = alpha.reshape(-1)
    steep = np.abs(slope) > 1
    safe = np.where(steep, slope, 1)
    _scale_out(weights, giver, np.where(steep, -1, 1))
    _scale_in(weights, taker, np.where(steep, -safe, 1))
    weights[f"{giver}_prelu/alpha"] = np.where(steep, 1 / safe, slope).reshape(alpha.shape)


def _scale_out(weights, name, factor):
    """Multiply an operation's output channels."""
    axis = 2 if name.endswith("depthwise") else 3
    weights[f"{name}/kernel"] *= factor.reshape([-1 if i == axis else 1 for i in range(4)])
    weights[f"{name}/bias"] *= factor


def _scale_in(weights, name, factor):
    """Multiply an operation's weights as if its input channels were multiplied."""
    if name == "cell_scale":
        weights["cell_scale/scale"] *= factor
    else:
        weights[f"{name}/kernel"] *= factor[:, np.newaxis]


def _equalise_head(weights):
    """Share the cells' scales between the cell, the channel and the convolution behind."""
    scale, kernel = weights["cell_scale/scale"], weights["conv/kernel"]
    _scale_cells(weights, np.abs(scale).mean(axis=2, keepdims=True))
    channel = np.abs(scale).max(axis=(0, 1)) / np.maximum(np.abs(kernel[0, 0]).max(axis=1), 1e-12)
    channel = _relative(np.sqrt(channel))
    scale /= channel
    kernel *= channel[:, np.newaxis]


def _scale_cells(weights, sizes):
    """Make cells of sizes (h, w, 1) alike until the grid is restored."""
    size = _relative(sizes)
    weights["cell_scale/scale"] /= size
    weights["cell_restore/factor"] *= size
