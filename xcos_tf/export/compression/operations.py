"""The operations in plain TensorFlow: in float32, watched while they run, and as int8 has them.

The limits of int8 can also be learned. Two limits keep their ratio; what is learned is one factor g
of both. y = g · q(x / g), where q rounds between fixed limits and passes gradients within them, has
the gradient of Esser et al., *Learned Step Size Quantization*, ICLR 2020: (y − x) / g within the
limits, y / g beyond.
"""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

IMAGE = "image"
IMAGE_RANGE = (-127.5 / 128, 127.5 / 128)
LEVELS = 127
RATE = 20.0
"""How many times faster than weights the logarithm of a factor is learned."""
SHARES = (1, 0.95, 0.9, 0.85, 0.8, 0.75, 0.7)
"""Of a result's limits, to cut it off at one of them."""


class FloatOperations:
    """How each operation of `layout.grid_feature` is computed; x is float32 (N, h, w, c)."""

    def __init__(self, weights: Mapping[str, np.ndarray]):
        """Take weights by "operation/weight"."""
        self._weights = weights

    def result(self, name: str, x: tf.Tensor) -> tf.Tensor:
        """Return what an operation gives, for kinds that change or watch it.

        Of the last, which restores the grid, it is not asked.
        """
        return x

    def weight(self, name: str) -> tf.Tensor:
        """Return a weight by "operation/weight"."""
        return tf.constant(self._weights[name], tf.float32)

    def factor(self, name: str) -> tf.Tensor:
        """Return a weight that is multiplied cell by cell."""
        return self.weight(name)

    def _with_bias(self, name, x):
        bias = f"{name}/bias"
        x = tf.nn.bias_add(x, self.weight(bias)) if bias in self._weights else x
        return self.result(name, x)

    def conv(self, name, x, stride=1):
        """Convolve; padding is TensorFlow's SAME."""
        return self._with_bias(name, tf.nn.conv2d(x, self.weight(f"{name}/kernel"), stride, "SAME"))

    def depthwise(self, name, x, stride):
        """Convolve each channel by itself."""
        kernel = self.weight(f"{name}/kernel")
        strides = (1, stride, stride, 1)
        return self._with_bias(name, tf.nn.depthwise_conv2d(x, kernel, strides, "SAME"))

    def prelu(self, name, x):
        """Multiply what is negative by a slope of its channel."""
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


class WatchedOperations(FloatOperations):
    """The same, showing a function each result but the last."""

    def __init__(self, weights: Mapping[str, np.ndarray], watch: Callable[[str, tf.Tensor], None]):
        """Take weights, and a function of an operation's name and its result."""
        super().__init__(weights)
        self._watch = watch

    def result(self, name, x):
        self._watch(name, x)
        return x


def with_rests(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """Return weights with "operation/rest", the slope less 1, in place of each PReLU's slope."""
    return {
        name.replace("/alpha", "/rest"): array - 1 if name.endswith("/alpha") else array
        for name, array in weights.items()
    }


class Int8Operations(FloatOperations):
    """The same, but what each gives is rounded to one of 256 values.

    A PReLU of slope a ≤ 1 is x + relu((a − 1)·x), a product that ends in a ReLU and a sum, where
    what is positive passes unchanged. XNNPACK has both in int8, and its own PReLU in float32
    alone.
    """

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

    def conv(self, name, x, stride=1):
        x = self.result(IMAGE, x) if name == "stem_conv" else x
        return super().conv(name, x, stride)

    def prelu(self, name, x):
        rest = tf.nn.relu(x * self.factor(f"{name}/rest"))
        return self.result(name, x + self.result(f"{name}_rest", rest))


class CalibratingOperations(Int8Operations):
    """The same without rounding, taking note of each result's limits.

    Attributes:
        seen: {result: [(min, max) of each batch]}.
    """

    def __init__(self, weights: Mapping[str, np.ndarray]):
        """Take weights as they are."""
        super().__init__(weights, {})
        self.seen: dict[str, list] = {}

    def result(self, name, x):
        limits = (tf.reduce_min(x).numpy(), tf.reduce_max(x).numpy())
        self.seen.setdefault(name, []).append(limits)
        return x

    def factor(self, name):
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

    def result(self, name, x):
        super().result(name, x)
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


def range_factor(growth: tf.Tensor) -> tf.Tensor:
    """Return g > 0, float32 scalar, of what is learned, which starts at 0."""
    return tf.exp(RATE * growth)


def learned_rounding(x: tf.Tensor, growth: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    """Return x rounded to one of 256 values from g·low to g·high, of which one is 0.

    Args:
        x: float32 of any shape.
        growth: float32 scalar; see `range_factor`.
        low, high: float32 scalars, low ≤ 0 < high.
    """
    factor = range_factor(growth)
    return factor * tf.quantization.fake_quant_with_min_max_vars(x / factor, low, high)
