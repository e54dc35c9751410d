"""The operations in plain TensorFlow: in float32 for any weights, and watched while they run."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf


class FloatOperations:
    """See `layout.Operations`; x is float32 (N, h, w, c)."""

    def __init__(self, weights: Mapping[str, np.ndarray]):
        """Take weights by "operation/weight"."""
        self._weights = weights

    def weight(self, name: str) -> tf.Tensor:
        """Return a weight by "operation/weight"."""
        return tf.constant(self._weights[name], tf.float32)

    def _with_bias(self, name, x):
        bias = f"{name}/bias"
        return tf.nn.bias_add(x, self.weight(bias)) if bias in self._weights else x

    def conv(self, name, x, stride=1):
        return self._with_bias(name, tf.nn.conv2d(x, self.weight(f"{name}/kernel"), stride, "SAME"))

    def depthwise(self, name, x, stride):
        kernel = self.weight(f"{name}/kernel")
        strides = (1, stride, stride, 1)
        return self._with_bias(name, tf.nn.depthwise_conv2d(x, kernel, strides, "SAME"))

    def prelu(self, name, x):
        # In just this form the TFLite converter makes one PRELU of it.
        return tf.nn.relu(x) + -self.weight(f"{name}/alpha") * tf.nn.relu(-x)

    def add(self, name, a, b):
        return a + b

    def cell_scale(self, name, x):
        return x * self.weight(f"{name}/scale")

    def cell_restore(self, name, x):
        return x * self.weight(f"{name}/factor") + self.weight(f"{name}/offset")


class WatchedOperations(FloatOperations):
    """The same, showing a function each result but the last, which is restored."""

    def __init__(self, weights: Mapping[str, np.ndarray], watch: Callable[[str, tf.Tensor], None]):
        """Take weights, and a function of an operation's name and its result."""
        super().__init__(weights)
        self._watch = watch

    def _watched(self, name, x):
        self._watch(name, x)
        return x

    def conv(self, name, x, stride=1):
        return self._watched(name, super().conv(name, x, stride))

    def depthwise(self, name, x, stride):
        return self._watched(name, super().depthwise(name, x, stride))

    def prelu(self, name, x):
        return self._watched(name, super().prelu(name, x))

    def add(self, name, a, b):
        return self._watched(name, super().add(name, a, b))

    def cell_scale(self, name, x):
        return self._watched(name, super().cell_scale(name, x))
