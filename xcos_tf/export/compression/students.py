"""Networks in training: the operations with variables for weights, and what each variant adds.

tensorflow-model-optimization prunes and clusters. It wraps layers of Keras 2, so that each large
convolution is one, beside whatever Keras all else has.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import SimpleNamespace

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.errors import extra
from xcos_tf.export.compression.layout import grid_feature
from xcos_tf.export.compression.operations import (
    IMAGE,
    FloatOperations,
    Int8Operations,
    shared_axes,
)
from xcos_tf.models.mobilefacenet import BLOCKS

SMALLEST_KERNEL = 4096
"""A kernel of fewer weights is left as it is: it is a small part of the file and much of the
accuracy."""
RATE = 20.0
"""How many times faster than weights the logarithm of a factor is learned."""

Weights = Mapping[str, np.ndarray]


class Student(FloatOperations):
    """A network in training.

    Attributes:
        trained: the variables that gradients change.
        state: all variables that the next step depends on.
    """

    def __init__(self, weights: Weights, blocks: Sequence = BLOCKS, *more):
        """Take weights to start from, the network's blocks, and what the operations take more."""
        super().__init__({name: tf.Variable(array) for name, array in weights.items()}, *more)
        self._blocks = blocks
        self.trained = list(self._weights.values())
        self.state = list(self.trained)

    def __call__(self, images: tf.Tensor) -> tf.Tensor:
        """Return grid features (N, h, w, c) of images, float32 (N, H, W, 3) in [−1, 1]."""
        return grid_feature(images, self, self._blocks)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return {operation/weight: array}, and whatever else the variant's file holds."""
        return {name: variable.numpy() for name, variable in self._weights.items()}


class _WrappedStudent(Student):
    """Each large kernel is that of a wrapped layer."""

    def __init__(self, weights: Weights, wrap: Callable, blocks: Sequence):
        large = {
            name.removesuffix("/kernel"): array
            for name, array in weights.items()
            if name.endswith("/kernel")
            and not name.endswith("depthwise/kernel")
            and array.size >= SMALLEST_KERNEL
        }
        super().__init__(
            {name: x for name, x in weights.items() if name.removesuffix("/kernel") not in large},
            blocks,
        )
        self.wrapped = {name: _wrapped(kernel, wrap) for name, kernel in large.items()}
        for layer in self.wrapped.values():
            self.trained += layer.trainable_weights
            self.state += layer.weights

    def conv(self, name, x, stride=1):
        if name not in self.wrapped:
            return super().conv(name, x, stride)
        return self.with_bias(name, self.wrapped[name](x, training=True))

    def settle(self) -> None:
        """Bring the layers' kernels in line after a step."""

    def arrays(self):
        self.settle()
        kernels = {f"{name}/kernel": x.layer.kernel.numpy() for name, x in self.wrapped.items()}
        return {**super().arrays(), **kernels}


@contextmanager
def _compressing(user: str) -> Iterator[None]:
    """Import tensorflow-model-optimization, and leave the environment as it was.

    The library asks for Keras 2 in every process that this one starts later.
    """
    name = "TF_USE_LEGACY_KERAS"
    before = os.environ.get(name)
    try:
        with extra("compress", user):
            yield
    finally:
        os.environ.pop(name, None)
        if before is not None:
            os.environ[name] = before


def _wrapped(kernel: np.ndarray, wrap: Callable):
    """Return a wrapped convolution of stride 1 without a bias."""
    if keras.__version__.startswith("2."):
        layers = keras.layers
    else:
        from tf_keras import layers

    side, _, taken, given = kernel.shape
    layer = layers.Conv2D(given, side, padding="same", use_bias=False)
    layer.build((None, None, None, taken))
    layer.kernel.assign(kernel)
    wrapper = wrap(layer)
    wrapper.build((None, None, None, taken))
    return wrapper


class PrunedStudent(_WrappedStudent):
    """Ever more of the smallest weights of each large kernel become 0, then it recovers."""

    def __init__(self, weights: Weights, sparsity: float, steps: int, blocks: Sequence = BLOCKS):
        """Take weights to start from and the share of weights to lose, in (0, 1)."""
        with _compressing("the variant pruned"):
            from tensorflow_model_optimization.sparsity import keras as sparsity_api

        schedule = sparsity_api.PolynomialDecay(
            initial_sparsity=sparsity / 2,
            final_sparsity=sparsity,
            begin_step=0,
            end_step=max(steps // 2, 1),
            frequency=max(steps // 40, 1),
        )
        super().__init__(weights, lambda x: sparsity_api.prune_low_magnitude(x, schedule), blocks)
        self._callback = sparsity_api.UpdatePruningStep()
        self._callback.set_model(SimpleNamespace(layers=list(self.wrapped.values())))
        self._callback.on_train_begin()

    def settle(self):
        self._callback.on_epoch_end(None)


class ClusteredStudent(_WrappedStudent):
    """Each large kernel has so many distinct values."""

    def __init__(self, weights: Weights, clusters: int, seed: int, blocks: Sequence = BLOCKS):
        """Take weights to start from and the number of distinct values, 2 or more."""
        with _compressing("the variant clustered"):
            from tensorflow_model_optimization.clustering import keras as clustering_api

        keras.utils.set_random_seed(seed)  # the library draws the first values by it
        start = clustering_api.CentroidInitialization.KMEANS_PLUS_PLUS
        super().__init__(
            weights, lambda x: clustering_api.cluster_weights(x, clusters, start), blocks
        )

    def settle(self):
        for wrapper in self.wrapped.values():
            wrapper.update_clustered_weights_associations()


class QatStudent(Student, Int8Operations):
    """Learns under the rounding of its weights and results to int8.

    The limits of each result are learned too: two limits keep their ratio, and a factor of both is
    learned by its logarithm; see `learned_rounding`.
    """

    def __init__(self, weights: Weights, ranges: Weights, blocks: Sequence = BLOCKS):
        """Take weights with rests, see `with_rests`, and {result: (min, max)} to start from."""
        super().__init__(weights, blocks, ranges)
        self._growths = {name: tf.Variable(0.0) for name in ranges if name != IMAGE}
        self.trained += self._growths.values()
        self.state += self._growths.values()

    def weight(self, name):
        weight = super().weight(name)
        return _rounded(name, weight) if name.endswith("/kernel") else weight

    def factor(self, name):
        return _rounded(name, self.weight(name))

    def result(self, name, x):
        if name == IMAGE:
            return super().result(name, x)
        return learned_rounding(x, self._growths[name], *self._ranges[name])

    def arrays(self):
        factors = {name: range_factor(growth).numpy() for name, growth in self._growths.items()}
        ranges = {f"{x}/range": factors.get(x, 1) * limits for x, limits in self._ranges.items()}
        return {**super().arrays(), **ranges}


def _rounded(name: str, weight: tf.Tensor) -> tf.Tensor:
    """Return a weight in as many steps as `rounded_to_int8` has, which pass gradients on."""
    limits = tf.reshape(tf.reduce_max(tf.abs(weight), shared_axes(name)), [-1])
    limits = tf.stop_gradient(limits)
    flat = tf.reshape(weight, (-1, limits.shape[0]))  # the last axis is the one with steps
    rounded = tf.quantization.fake_quant_with_min_max_vars_per_channel(
        flat, -limits, limits, narrow_range=True
    )
    return tf.reshape(rounded, weight.shape)


def range_factor(growth: tf.Tensor) -> tf.Tensor:
    """Return g > 0, float32 scalar, of what is learned, which starts at 0."""
    return tf.exp(RATE * growth)


def learned_rounding(x: tf.Tensor, growth: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    """Return x rounded to one of 256 values from g·low to g·high, of which one is 0.

    y = g · q(x / g), where q rounds between fixed limits and passes gradients within them, has the
    gradient of Esser et al., *Learned Step Size Quantization*, ICLR 2020: (y − x) / g within the
    limits, y / g beyond.

    Args:
        x: float32 of any shape.
        growth: float32 scalar; see `range_factor`.
        low, high: float32 scalars, low ≤ 0 < high.
    """
    factor = range_factor(growth)
    return factor * tf.quantization.fake_quant_with_min_max_vars(x / factor, low, high)
