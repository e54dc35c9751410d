"""What a grid feature would be if a cell of its face were covered, guessed from the grid alone."""

import numpy as np
import tensorflow as tf

from xcos_tf.environment import keras
from xcos_tf.models.heads import CellAffine

REACH = 2  # cells that covering one changes, on each side of it


@keras.utils.register_keras_serializable(package="xcos_tf")
class ChangedGrids(keras.layers.Layer):
    """Changes a grid around each of its cells in turn.

    Call on grids (N, h, w, c) and windows (N, h, w, k·k·c), k = 2·`REACH` + 1: of each cell, how
    the k×k cells around it change when it is covered. Returns (N, h·w, h, w, c).

    On top of its window, a feature moves towards the mean face's, as it loses what it saw of the
    covered cell. The weight `pull`, (k·k·c), has by how much. Two weights are not trained: `mean`,
    (h, w, c), the grid of the mean face; and `size`, (h, w, c), by how much channels change as a
    rule, in which windows are given.
    """

    def build(self, input_shape):
        shape, window = tuple(input_shape[0][1:]), (input_shape[1][-1],)
        self.pull = self.add_weight(name="pull", shape=window, initializer="zeros")
        known = {"shape": shape, "trainable": False}
        self.mean = self.add_weight(name="mean", initializer="zeros", **known)
        self.size = self.add_weight(name="size", initializer="ones", **known)
        super().build(input_shape)

    def call(self, inputs):
        grids, windows = inputs
        cells = grids.shape[1] * grids.shape[2]
        pull = tf.tile(self.pull[tf.newaxis], (cells, 1))
        changes = _spread(windows, grids.shape) * self.size
        moves = _spread(pull, grids.shape) * (self.mean - grids)[:, tf.newaxis]
        return grids[:, tf.newaxis] + changes + moves


def _spread(windows: tf.Tensor, shape: tuple) -> tf.Tensor:
    """Return windows (..., k·k·c) of each cell of grids (N, h, w, c) as (N, h·w, h, w, c)."""
    height, width, channels = shape[1:]
    cells, around = height * width, (2 * REACH + 1) ** 2
    windows = tf.reshape(windows, (-1, cells * around, channels))
    windows = tf.concat([tf.zeros_like(windows[:, :1]), windows], 1)
    changes = tf.gather(windows, _places(height, width), axis=1)
    return tf.reshape(changes, (-1, cells, height, width, channels))


def _places(height: int, width: int) -> np.ndarray:
    """Return where the windows have each cell's change by each covered cell, int (h·w·h·w,).

    0 stands for none, 1 for the first place of all.
    """
    places = np.indices((height, width)).reshape(2, -1)
    down, right = places[:, np.newaxis] - places[:, :, np.newaxis] + REACH
    side = 2 * REACH + 1
    within = (down >= 0) & (down < side) & (right >= 0) & (right < side)
    covered = np.arange(height * width)[:, np.newaxis]
    return np.where(within, 1 + (covered * side + down) * side + right, 0).ravel().astype(np.int32)


def covered_grids(grid_shape: tuple[int, int, int], channels: int) -> keras.Model:
    """Return a small CNN that guesses the grid features of a face with each of its cells covered.

    Args:
        grid_shape: (h, w, c) of a grid feature.
        channels: of the layers between.

    Returns:
        A functional model from grids (N, h, w, c) to grids (N, h·w, h, w, c); before it is trained
        nothing changes.
    """
    side = 2 * REACH + 1
    grid = keras.Input(grid_shape, name="grid")
    standard = keras.layers.Normalization(axis=(1, 2, 3), name="standard")(grid)
    x = keras.layers.Conv2D(channels, side, padding="same", name="around")(standard)
    x = keras.layers.ReLU(name="relu")(CellAffine(name="around_affine")(x))
    x = keras.layers.Conv2D(channels, 1, name="mix")(x)
    x = keras.layers.ReLU(name="mix_relu")(CellAffine(name="mix_affine")(x))
    x = keras.layers.Concatenate(name="with_own")([x, standard])
    x = keras.layers.EinsumDense(
        "nhwc,cd->nhwd",
        (*grid_shape[:2], side * side * grid_shape[2]),
        bias_axes="hwd",
        kernel_initializer="zeros",
        name="windows",
    )(x)
    return keras.Model(grid, ChangedGrids(name="covered")([grid, x]), name="whatif")
