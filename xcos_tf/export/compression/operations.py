"""The operations in plain TensorFlow: in float32, watched while they run, and as int8 has them."""

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from xcos_tf.export.compression.layout import grid_feature
from xcos_tf.models.mobilefacenet import BLOCKS

IMAGE = "image"
IMAGE_RANGE = (-127.5 / 128, 127.5 / 128)
LEVELS = 127
BATCH = 16
SHARES = (1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)
"""Of a result's limits, for `int8_ranges` of many people to cut it off at one of them."""


class FloatOperations:
    """How each operation of `layout.grid_feature` is computed; x is float32 (N, h, w, c)."""

    def __init__(
        self,
        weights: Mapping[str, np.ndarray],
        watch: Callable[[str, tf.Tensor], object] = lambda name, x: None,
    ):
        """Take weights by "operation/weight", with PReLUs' slopes or rests, see `with_rests`.

        `watch` is called with the name of each result, see `result`, and the result.
        """
        self._weights, self._watch = weights, watch

    def result(self, name: str, x: tf.Tensor) -> tf.Tensor:
        """Return what an operation gives, or the first one takes, for kinds that change it.

        Of the last, which restores the grid, it is not asked.
        """
        self._watch(name, x)
        return x

    def weight(self, name: str) -> tf.Tensor:
        """Return a weight by "operation/weight"."""
        return tf.convert_to_tensor(self._weights[name], tf.float32)

    def factor(self, name: str) -> tf.Tensor:
        """Return a weight that is multiplied cell by cell."""
        return self.weight(name)

    def with_bias(self, name: str, x: tf.Tensor) -> tf.Tensor:
        """Return the result of an operation before its bias, if it has one."""
        bias = f"{name}/bias"
        x = tf.nn.bias_add(x, self.weight(bias)) if bias in self._weights else x
        return self.result(name, x)

    def conv(self, name, x, stride=1):
        """Convolve; padding is TensorFlow's SAME. What the first one takes is a result, too."""
        x = self.result(IMAGE, x) if name == "stem_conv" else x
        return self.with_bias(name, tf.nn.conv2d(x, self.weight(f"{name}/kernel"), stride, "SAME"))

    def depthwise(self, name, x, stride):
        """Convolve each channel by itself."""
        kernel = self.weight(f"{name}/kernel")
        strides = (1, stride, stride, 1)
        return self.with_bias(name, tf.nn.depthwise_conv2d(x, kernel, strides, "SAME"))

    def prelu(self, name, x):
        """Multiply what is negative by a slope of its channel.

        With its rest, a PReLU of slope a ≤ 1 is x + relu((a − 1)·x), a product that ends in a ReLU
        and a sum, where what is positive passes unchanged. XNNPACK has both in int8, and its own
        PReLU in float32 alone.
        """
        if f"{name}/rest" in self._weights:
            rest = tf.nn.relu(x * self.factor(f"{name}/rest"))
            return self.result(name, x + self.result(f"{name}_rest", rest))
        # In just this form the TFLite converter makes one PRELU of it.
        return self.result(name, tf.nn.relu(x) + -self.weight(f"{name}/alpha") * tf.nn.relu(-x))

    def add(self, name, a, b):
        """Add two feature maps."""
        return self.result(name, a + b)

    def cell_scale(self, name, x):
        """Multiply each cell and channel by a number of its own."""
        return self.result(name, x * self.factor(f"{name}/scale"))

    def cell_restore(self, name, x):
        """Multiply each cell and channel by a number of its own and add one; in float32 always."""
        return x * self.weight(f"{name}/factor") + self.weight(f"{name}/offset")


def shared_axes(name: str) -> tuple[int, ...] | None:
    """Return the axes of a weight, "operation/weight", along which int8 has one size of steps.

    Of a kernel each output channel has steps of its own, as TFLite wants them; of a slope or a
    cell's scale there is one size, and None.
    """
    operation, kind = name.split("/")
    if kind != "kernel":
        return None
    return (0, 1, 3) if operation.endswith("depthwise") else (0, 1, 2)


def with_rests(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return weights with "operation/rest", the slope less 1, in place of each PReLU's slope."""
    return {
        name.replace("/alpha", "/rest"): array - 1 if name.endswith("/alpha") else array
        for name, array in weights.items()
    }


class Int8Operations(FloatOperations):
    """The same, but what each gives is rounded to one of 256 values, and what the first takes."""

    def __init__(self, weights: Mapping[str, np.ndarray], ranges: Mapping[str, np.ndarray]):
        """Take weights with rests (see `with_rests`), and {result: (min, max)}."""
        super().__init__(weights)
        self._ranges = ranges

    def result(self, name, x):
        low, high = (float(limit) for limit in self._ranges[name])
        return tf.quantization.fake_quant_with_min_max_args(x, low, high)

    def factor(self, name):
        limit = float(np.abs(self._weights[name]).max())
        x = self.weight(name)
        return tf.quantization.fake_quant_with_min_max_args(x, -limit, limit, narrow_range=True)


def measured(
    weights: Mapping[str, np.ndarray],
    faces: np.ndarray,
    measure: Callable[[tf.Tensor], Any],
    blocks: Sequence = BLOCKS,
    batch: int = BATCH,
) -> dict[str, list]:
    """Return {result: [a measure of it for each batch]} of faces (N, h, w, 3) in [−1, 1]."""
    found = defaultdict(list)
    watched = FloatOperations(weights, lambda name, x: found[name].append(measure(x)))
    for start in range(0, len(faces), batch):
        grid_feature(tf.constant(faces[start : start + batch]), watched, blocks)
    return found


def int8_ranges(
    weights: Mapping[str, np.ndarray], faces: np.ndarray, shares: Sequence[float] = (1,), **rest
) -> dict[str, np.ndarray]:
    """Return {result: float32 (min, max)} for `Int8Operations`.

    They are the batches' mean, with 0 in between, cut off at the one of some `shares` of them that
    leaves the least squared error. What is largest is rare, and without it the steps of all else
    are smaller. That is for faces of many people: of a few, the largest is what others' reach
    often. What remains is as for `measured`.
    """
    seen = measured(weights, faces, lambda x: limits_and_errors(x, shares), **rest)
    ranges = {name: range_of(batches, shares) for name, batches in seen.items()}
    return {**ranges, IMAGE: np.array(IMAGE_RANGE, np.float32)}


def limits_and_errors(x: tf.Tensor, shares: Sequence[float]) -> tuple[tuple, list[float]]:
    """Return a result's (min, max), and the mean squared error of rounding within each share."""
    limits = tf.reduce_min(x).numpy(), tf.reduce_max(x).numpy()
    if len(shares) == 1:
        return limits, [0.0]
    cut = [map(float, share * _around_zero(*limits)) for share in shares]
    rounded = (tf.quantization.fake_quant_with_min_max_args(x, *ends) for ends in cut)
    return limits, [float(tf.reduce_mean(tf.square(x - y))) for y in rounded]


def range_of(batches: Sequence[tuple], shares: Sequence[float]) -> np.ndarray:
    """Return a result's range for what `limits_and_errors` gives of each batch."""
    limits, errors = (np.mean(values, axis=0) for values in zip(*batches, strict=True))
    return _around_zero(*limits) * np.float32(shares[np.argmin(errors)])


def _around_zero(low, high):
    return np.array([min(low, 0), max(high, low + 1e-6, 0)], np.float32)
