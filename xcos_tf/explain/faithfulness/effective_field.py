"""How local a grid cell is: from how far away its feature is moved.

The effective receptive field is that of W. Luo et al., "Understanding the Effective Receptive
Field in Deep Convolutional Neural Networks", NeurIPS 2016: not where a cell can look, but where
the gradient of what it holds lies. Here it is of the feature's norm, averaged over faces.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.errors import XcosError
from xcos_tf.models.normalisation import normalise_pixels

BATCH = 32
TINY = 1e-12


class EffectiveField(NamedTuple):
    """Where in a face one cell's feature comes from.

    Attributes:
        energy: float64 (H, W), the squared gradient at each pixel, which sums to 1; all 0 if the
            cell does not look at the face at all.
        inside: the share of it in the cell's own patch, in [0, 1].
        half_radius: pixels; the circle about the patch's centre that holds half of it.
    """

    energy: np.ndarray
    inside: float
    half_radius: float


def effective_fields(
    model: keras.Model, faces: np.ndarray, cells: Sequence[tuple[int, int]]
) -> list[EffectiveField]:
    """Return the effective receptive field of each of some cells.

    Args:
        model: from float32 (N, H, W, 3) in [−1, 1] to a feature map (N, h, w, c); an xCos
            preset's is `verifier.network.features`.
        faces: uint8 (N, H, W, 3), aligned, N ≥ 1.
        cells: row and column of each.

    Raises:
        XcosError: the model's output is no feature map, or has no such cell.
    """
    if len(model.output_shape) != 4:
        raise XcosError(
            f"the model {model.name!r} gives an embedding without cells; use one with a feature "
            "map, such as an xCos preset's grid"
        )
    grid = model.output_shape[1:3]
    for row, column in cells:
        if not (0 <= row < grid[0] and 0 <= column < grid[1]):
            raise XcosError(
                f"there is no cell ({row}, {column}) in a grid of {grid[0]}×{grid[1]}; count from 0"
            )
    images = normalise_pixels(tf.constant(faces))
    gradient = tf.function(lambda batch, cell: _gradient(model, batch, cell))
    energies = np.zeros((len(cells), *faces.shape[1:3]))
    for start in range(0, len(faces), BATCH):
        for energy, cell in zip(energies, cells, strict=True):
            of_batch = gradient(images[start : start + BATCH], tf.constant(cell)).numpy()
            energy += np.square(of_batch, dtype=np.float64).sum(axis=(0, 3))
    return [_measured(energy, cell, grid) for energy, cell in zip(energies, cells, strict=True)]


def locality(model: keras.Model, faces: np.ndarray) -> tuple[float, float, float]:
    """Return how local a model's cells are, on average, of faces as by `effective_fields`.

    Returns:
        The shares of a cell's energy that are in its own patch and within one cell of it, in
        [0, 1]; and the radius that holds half, pixels.
    """
    grid = model.output_shape[1:3]
    fields = effective_fields(model, faces, list(np.ndindex(*grid)))
    shares = shares_nearby(np.stack([field.energy for field in fields]), grid)
    return *shares, float(np.mean([field.half_radius for field in fields]))


def shares_nearby(energies: np.ndarray, grid: tuple[int, int]) -> tuple[float, float]:
    """Return the mean share of cells' energy that is in their own patch, and within one cell of it.

    The energies, float (h·w, H, W), are those of each cell, row by row, each of sum 1.
    """
    h, w = grid
    size = energies.shape[1] // h, energies.shape[2] // w
    by_cell = energies.reshape(h * w, h, size[0], w, size[1]).sum((2, 4)).reshape(h * w, h * w)
    places = np.indices(grid).reshape(2, -1)
    apart = np.abs(places[:, :, np.newaxis] - places[:, np.newaxis]).max(axis=0)
    return tuple(float((by_cell * (apart <= reach)).sum(axis=1).mean()) for reach in (0, 1))


def _gradient(model, images, cell):
    with tf.GradientTape() as tape:
        tape.watch(images)
        squares = tf.reduce_sum(tf.square(model(images)[:, cell[0], cell[1]]), axis=-1)
        # The norm of a cell that is all 0 has no gradient; this makes it 0 there.
        norms = tf.sqrt(tf.maximum(squares, TINY))
    # A face's norm depends on that face alone, so the sum's gradient is each one's own.
    return tape.gradient(norms, images)


def _measured(energy, cell, grid) -> EffectiveField:
    total = energy.sum()
    if total == 0:
        return EffectiveField(energy, 0.0, 0.0)
    energy = energy / total
    patch = np.divide(energy.shape, grid)
    top, left = np.rint(cell * patch).astype(int)
    bottom, right = np.rint(np.add(cell, 1) * patch).astype(int)
    rows, columns = np.indices(energy.shape)
    # Pixels have their centres at whole numbers, so a patch of 16 has its own between two.
    distance = np.hypot(rows - (top + bottom - 1) / 2, columns - (left + right - 1) / 2).ravel()
    outwards = np.argsort(distance, kind="stable")
    held = np.cumsum(energy.ravel()[outwards])
    half = outwards[min(int(np.searchsorted(held, 0.5)), len(held) - 1)]
    return EffectiveField(
        energy, float(energy[top:bottom, left:right].sum()), float(distance[half])
    )
