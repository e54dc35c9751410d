"""The operations as Keras layers, each wrapped by one of tensorflow-model-optimization's ways."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf
from tensorflow import keras


class Rest(keras.layers.Layer):
    """Return relu(r·x) by a weight `rest` r of each channel, (1, 1, channels)."""

    def build(self, input_shape):
        self.rest = self.add_weight(name="rest", shape=(1, 1, input_shape[-1]))
        super().build(input_shape)

    def call(self, inputs):
        return tf.nn.relu(inputs * self.rest)

    def compute_output_shape(self, input_shape):
        return input_shape


class CellScale(keras.layers.Layer):
    """Multiply by weight `scale` (h, w, channels)."""

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=tuple(input_shape[1:]))
        super().build(input_shape)

    def call(self, inputs):
        return inputs * self.scale

    def compute_output_shape(self, input_shape):
        return input_shape


class CellRestore(keras.layers.Layer):
    """Multiply by weight `factor` and add weight `offset`, each (h, w, channels)."""

    def build(self, input_shape):
        for name in ("factor", "offset"):
            setattr(self, name, self.add_weight(name=name, shape=tuple(input_shape[1:])))
        super().build(input_shape)

    def call(self, inputs):
        return inputs * self.factor + self.offset

    def compute_output_shape(self, input_shape):
        return input_shape


class LayerOperations:
    """See `layout.Operations`; x is a symbolic Keras tensor.

    Attributes:
        variables: {operation/weight: variable}, before any wrapper takes it from its layer.
        layers: {operation: the layer, wrapped}.
    """

    def __init__(
        self, weights: Mapping[str, np.ndarray], wrap: Callable[[keras.layers.Layer], object]
    ):
        """Take the weights to start from, and a function that wraps a layer or returns it."""
        self._start, self._wrap = weights, wrap
        self.variables: dict[str, tf.Variable] = {}
        self.layers: dict[str, keras.layers.Layer] = {}

    def apply(self, layer: keras.layers.Layer, x):
        """Call a layer that has the weights to start from, wrapped."""
        name = layer.name
        layer.build([tensor.shape for tensor in x] if isinstance(x, list) else x.shape)
        for variable in layer.weights:
            key = variable.name.split("/")[-1].split(":")[0].replace("depthwise_kernel", "kernel")
            variable.assign(self._start[f"{name}/{key}"])
            self.variables[f"{name}/{key}"] = variable
        self.layers[name] = self._wrap(layer)
        return self.layers[name](x)

    def _has_bias(self, name):
        return f"{name}/bias" in self._start

    def conv(self, name, x, stride=1):
        shape = self._start[f"{name}/kernel"].shape
        layer = keras.layers.Conv2D(
            shape[3], shape[0], stride, "same", use_bias=self._has_bias(name), name=name
        )
        return self.apply(layer, x)

    def depthwise(self, name, x, stride):
        return self.apply(keras.layers.DepthwiseConv2D(3, stride, "same", name=name), x)

    def prelu(self, name, x):
        return self.apply(keras.layers.PReLU(shared_axes=[1, 2], name=name), x)

    def add(self, name, a, b):
        return self.apply(keras.layers.Add(name=name), [a, b])

    def cell_scale(self, name, x):
        return self.apply(CellScale(name=name), x)

    def cell_restore(self, name, x):
        return self.apply(CellRestore(name=name), x)
