"""The operations as an int8 network computes them, for the converter and for calibration."""

from collections.abc import Mapping

import numpy as np
import tensorflow as tf

from xcos_tf.export.compression.operations import FloatOperations

IMAGE = "image"
IMAGE_RANGE = (-127.5 / 128, 127.5 / 128)
LEVELS = 127
SHARES = (1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)
"""Of a result's limits, to cut it off at one of them."""


def with_rests(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return weights with "operation/rest", the slope less 1, in place of each PReLU's slope."""
    return {
        name.replace("/alpha", "/rest"): array - 1 if name.endswith("/alpha") else array
        for name, array in weights.items()
    }


class Int8Operations(FloatOperations):
    """See `layout.Operations`; what each gives is rounded to one of 256 values.

    A PReLU of slope a ≤ 1 is x + relu((a − 1)·x), a product that ends in a ReLU and a sum, where
    what is positive passes unchanged. XNNPACK has both in int8, and its own PReLU in float32
    alone.
    """

    def __init__(self, weights: Mapping[str, np.ndarray], ranges: Mapping[str, np.ndarray]):
        """Take weights with rests (see `with_rests`), and {result: (min, max)}."""
        super().__init__(weights)
        self._ranges = ranges

    def rounded(self, name: str, x: tf.Tensor) -> tf.Tensor:
        """Return x as int8 has it, between the result's two limits."""
        low, high = (float(limit) for limit in self._ranges[name])
        return tf.quantization.fake_quant_with_min_max_args(x, low, high)

    def constant(self, name: str) -> tf.Tensor:
        """Return a weight that is multiplied cell by cell, as int8 with one scale has it."""
        value = self.weight(name)
        limit = float(np.abs(self._weights[name]).max())
        return tf.quantization.fake_quant_with_min_max_args(value, -limit, limit, narrow_range=True)

    def conv(self, name, x, stride=1):
        x = self.rounded(IMAGE, x) if name == "stem_conv" else x
        return self.rounded(name, super().conv(name, x, stride))

    def depthwise(self, name, x, stride):
        return self.rounded(name, super().depthwise(name, x, stride))

    def prelu(self, name, x):
        rest = tf.nn.relu(x * self.constant(f"{name}/rest"))
        return self.rounded(name, x + self.rounded(f"{name}_rest", rest))

    def add(self, name, a, b):
        return self.rounded(name, a + b)

    def cell_scale(self, name, x):
        return self.rounded(name, x * self.constant(f"{name}/scale"))


class CalibratingOperations(Int8Operations):
    """The same without rounding, taking note of each result's limits.

    Attributes:
        seen: {result: [(min, max) of each batch]}.
    """

    def __init__(self, weights: Mapping[str, np.ndarray]):
        """Take weights as they are."""
        super().__init__(weights, {})
        self.seen: dict[str, list] = {}

    def rounded(self, name, x):
        limits = (tf.reduce_min(x).numpy(), tf.reduce_max(x).numpy())
        self.seen.setdefault(name, []).append(limits)
        return x

    def constant(self, name):
        return self.weight(name)

    def ranges(self) -> dict[str, np.ndarray]:
        """Return {result: float32 (min, max)}, the batches' mean, with 0 in between."""
        found = {name: np.mean(limits, axis=0) for name, limits in self.seen.items()}
        found[IMAGE] = np.array(IMAGE_RANGE)
        return {name: _around_zero(*limits) for name, limits in found.items()}


class CuttingOperations(CalibratingOperations):
    """The same, cutting limits off where that leaves a result the least squared error.

    What is largest is rare, and without it the steps of all else are smaller. This is for faces of
    many people: of a few, the largest is what others' reach often.

    Attributes:
        errors: {result: [of each batch, the mean squared error of each of `SHARES`]}.
    """

    def __init__(self, weights: Mapping[str, np.ndarray]):
        """Take weights as they are."""
        super().__init__(weights)
        self.errors: dict[str, list] = {}

    def rounded(self, name, x):
        super().rounded(name, x)
        if name != IMAGE:
            limits = _around_zero(*self.seen[name][-1])
            self.errors.setdefault(name, []).append([_error(x, share * limits) for share in SHARES])
        return x

    def ranges(self):
        ranges = super().ranges()
        for name, errors in self.errors.items():
            ranges[name] *= np.float32(SHARES[np.argmin(np.mean(errors, axis=0))])
        return ranges


def _around_zero(low, high):
    return np.array([min(low, 0), max(high, low + 1e-6, 0)], np.float32)


def _error(x, limits):
    rounded = tf.quantization.fake_quant_with_min_max_args(x, *map(float, limits))
    return float(tf.reduce_mean(tf.square(x - rounded)))
