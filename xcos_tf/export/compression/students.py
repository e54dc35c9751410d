"""Networks in training, of Keras layers that tensorflow-model-optimization wraps.

They take Keras 2, so a process started with TF_USE_LEGACY_KERAS=1; see `request`.
"""

from collections.abc import Callable, Mapping, Sequence

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.export.compression.layout import grid_feature

# A kernel of fewer weights is left as it is: it is a small part of the file and much of the
# accuracy.
SMALLEST_KERNEL = 4096

Weights = Mapping[str, np.ndarray]


class _OwnLayer(keras.layers.Layer):
    """A layer that gives what it is given in shape, with weights of `axes` axes, by `names`."""

    names: tuple[str, ...]
    axes = 3

    def build(self, input_shape):
        shape = (*[1] * (3 - self.axes), *input_shape[4 - self.axes :])
        for name in self.names:
            setattr(self, name, self.add_weight(name=name, shape=shape))
        super().build(input_shape)

    def compute_output_shape(self, input_shape):
        return input_shape


class Rest(_OwnLayer):
    """Return relu(r·x) by a weight `rest` r of each channel, (1, 1, channels)."""

    names, axes = ("rest",), 1

    def call(self, inputs):
        return tf.nn.relu(inputs * self.rest)


class CellScale(_OwnLayer):
    """Multiply by weight `scale` (h, w, channels)."""

    names = ("scale",)

    def call(self, inputs):
        return inputs * self.scale


class CellRestore(_OwnLayer):
    """Multiply by weight `factor` and add weight `offset`, each (h, w, channels)."""

    names = ("factor", "offset")

    def call(self, inputs):
        return inputs * self.factor + self.offset


class LayerOperations:
    """What `FloatOperations` computes as layers; x is a symbolic Keras tensor.

    Attributes:
        variables: {operation/weight: variable}, before any wrapper takes it from its layer.
        layers: {operation: the layer, wrapped}.
    """

    def __init__(self, weights: Weights, wrap: Callable[[keras.layers.Layer], object]):
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


class Student:
    """A network in training.

    Attributes:
        model: from images float32 (N, h, w, 3) in [−1, 1] to the grid feature (N, h, w, c).
    """

    model: keras.Model

    def __init__(self, ops: LayerOperations, size: int, blocks: Sequence):
        image = keras.Input((size, size, 3), name="image")
        self.ops = ops
        self.model = keras.Model(image, grid_feature(image, ops, blocks))

    def settle(self) -> None:
        """Bring the weights in line after the last step."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return {operation/weight: array}, and whatever else the variant's file holds."""
        return {name: np.asarray(variable) for name, variable in self.ops.variables.items()}


def _is_large(layer) -> bool:
    return (
        isinstance(layer, keras.layers.Conv2D)
        and not isinstance(layer, keras.layers.DepthwiseConv2D)
        and np.prod(layer.kernel.shape) >= SMALLEST_KERNEL
    )


class PrunedStudent(Student):
    """Ever more of the smallest weights of each large kernel become 0, then it recovers."""

    def __init__(self, weights: Weights, size: int, sparsity: float, steps: int, blocks: Sequence):
        """Take weights to start from and the share of weights to lose, in (0, 1)."""
        from tensorflow_model_optimization.sparsity import keras as sparsity_api

        schedule = sparsity_api.PolynomialDecay(
            initial_sparsity=sparsity / 2,
            final_sparsity=sparsity,
            begin_step=0,
            end_step=max(steps // 2, 1),
            frequency=max(steps // 40, 1),
        )

        def wrap(layer):
            if not _is_large(layer):
                return layer
            return sparsity_api.prune_low_magnitude(layer, pruning_schedule=schedule)

        super().__init__(LayerOperations(weights, wrap), size, blocks)
        self._callback = sparsity_api.UpdatePruningStep()
        self._callback.set_model(self.model)
        self._callback.on_train_begin()

    def settle(self):
        self._callback.on_epoch_end(None)


class ClusteredStudent(Student):
    """Each large kernel has so many distinct values."""

    def __init__(self, weights: Weights, size: int, clusters: int, blocks: Sequence):
        """Take weights to start from and the number of distinct values, 2 or more."""
        from tensorflow_model_optimization.clustering import keras as clustering_api

        def wrap(layer):
            if not _is_large(layer):
                return layer
            return clustering_api.cluster_weights(
                layer,
                number_of_clusters=clusters,
                cluster_centroids_init=clustering_api.CentroidInitialization.KMEANS_PLUS_PLUS,
            )

        super().__init__(LayerOperations(weights, wrap), size, blocks)
        self._wrapped = {
            name: layer
            for name, layer in self.ops.layers.items()
            if hasattr(layer, "pulling_indices")
        }

    def arrays(self):
        arrays = super().arrays()
        for name, wrapper in self._wrapped.items():
            wrapper.update_clustered_weights_associations()
            arrays[f"{name}/kernel"] = np.asarray(wrapper.layer.kernel)
        return arrays
