"""Plain networks small enough to work out by hand, and verifiers of them."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.models.heads import depthwise_head, fc_head
from xcos_tf.models.network import FaceEmbedder
from xcos_tf.models.presets import Preset
from xcos_tf.verifier import Verifier

CHANNELS = 6
CORNER = 48  # pixels, three cells: all that `corner_backbone` sees
HEADS = {
    "depthwise": lambda shape: depthwise_head(shape, 5, batch_norm=False),
    "depthwise with normalisation": lambda shape: depthwise_head(shape, 5),
    "fc": lambda shape: fc_head(shape, 5),
}


def through(function: Callable[[np.ndarray], np.ndarray], x: tf.Tensor) -> tf.Tensor:
    """Return what a function of arrays makes of a tensor each time that a graph runs."""
    result = tf.numpy_function(function, [x], x.dtype)
    result.set_shape(x.shape)
    return result


class Counter(keras.layers.Layer):
    """Passes its input on; counts the samples that come by and those whose gradient comes back."""

    def __init__(self, **options):
        super().__init__(**options)
        self.forward = self.backward = 0

    def call(self, inputs):
        def count_forward(x):
            self.forward += len(x)
            return x

        def count_backward(x):
            self.backward += len(x)
            return x

        @tf.custom_gradient
        def counted(x):
            return through(count_forward, x), lambda upstream: through(count_backward, upstream)

        return counted(inputs)

    def compute_output_shape(self, input_shape):
        return input_shape


def randomise(model: keras.Model, seed: int = 3) -> keras.Model:
    """Give a model's weights, biases and statistics random values, variances positive ones."""
    random = np.random.default_rng(seed)
    for weight in model.weights:
        values = random.normal(size=weight.shape) / np.sqrt(max([4, *weight.shape[:1]]))
        weight.assign(
            np.abs(values) + 0.5 if "variance" in getattr(weight, "path", weight.name) else values
        )
    return model


def backbone(extra=()) -> keras.Model:
    """Return one convolution of a cell each, and what is in `extra`: images to (N, 7, 7, 6)."""
    image = keras.Input((112, 112, 3), name="image")
    x = keras.layers.Conv2D(CHANNELS, 16, strides=16, activation="relu", name="cells")(image)
    for layer in extra:
        x = layer(x)
    return randomise(keras.Model(image, x, name="backbone"))


def corner_backbone() -> keras.Model:
    """Return a backbone that sees the corner at the top left only, and is 0 everywhere else."""
    image = keras.Input((112, 112, 3), name="image")
    x = keras.layers.Cropping2D(((0, 112 - CORNER), (0, 112 - CORNER)))(image)
    x = keras.layers.ZeroPadding2D(((0, 112 - CORNER), (0, 112 - CORNER)))(x)
    cells = keras.layers.Conv2D(
        CHANNELS, 16, strides=16, activation="relu", use_bias=False, name="cells"
    )
    return randomise(keras.Model(image, cells(x), name="backbone"))


def toy_verifier(backbone: keras.Model, head: keras.Model) -> Verifier:
    """Return a verifier of a plain network of these two parts."""
    config = {"name": "toy", "thresholds": {}}
    return Verifier(Preset(config, FaceEmbedder(backbone, head)))


def head(kind: str, seed: int = 4) -> keras.Model:
    """Return one of `HEADS` with random weights."""
    return randomise(HEADS[kind]((7, 7, CHANNELS)), seed)
