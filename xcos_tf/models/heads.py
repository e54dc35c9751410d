"""What follows a backbone's feature map: the 1×1 grid head of xCos, or an embedding head."""

import tensorflow as tf

from xcos_tf.environment import keras
from xcos_tf.models import normalisation


@keras.utils.register_keras_serializable(package="xcos_tf")
class CellAffine(keras.layers.Layer):
    """A scale and a shift of its own for each cell and channel of a feature map.

    Input and output: float (N, h, w, c). A recogniser whose tail is a global depthwise
    convolution weighs the same channel differently from cell to cell; this layer keeps those
    weights when the tail gives way to a 1×1 convolution.
    """

    def build(self, input_shape):
        shape = tuple(input_shape[1:])
        self.scale = self.add_weight(name="scale", shape=shape, initializer="ones")
        self.shift = self.add_weight(name="shift", shape=shape, initializer="zeros")
        super().build(input_shape)

    def call(self, inputs):
        return inputs * tf.cast(self.scale, inputs.dtype) + tf.cast(self.shift, inputs.dtype)


def grid_head(
    feature_shape: tuple[int, int, int],
    channels: int = 32,
    cell_affine: bool = False,
    batch_norm: bool = True,
    name: str = "grid_head",
) -> keras.Model:
    """Return the 1×1 convolution that turns a feature map into the grid feature (Eq. 1).

    It is a functional model from a feature map (N, h, w, c) to (N, h, w, channels), float32,
    unbounded. A `CellAffine` may come before the convolution, and batch normalisation and PReLU
    after it, as in the authors' code.
    """
    feature_map = keras.Input(feature_shape, name="feature_map")
    x = feature_map
    if cell_affine:
        x = CellAffine(name="cell_affine")(x)
    x = keras.layers.Conv2D(channels, 1, name="conv")(x)
    if batch_norm:
        x = normalisation.prelu("prelu")(normalisation.batch_norm("bn")(x))
    return keras.Model(feature_map, x, name=name)


def fc_head(
    feature_shape: tuple[int, int, int],
    dimension: int = 512,
    dropout: float = 0.6,
    name: str = "embedding_head",
) -> keras.Model:
    """Return ArcFace's embedding head: BN, dropout, flatten, fully connected, BN.

    Deng et al., CVPR 2019, option E; the head of the paper's baseline and teacher. The flattening
    is (h, w, c), so PyTorch's channel-first weights must be permuted. It is a functional model from
    a feature map (N, h, w, c) to an embedding (N, dimension), float32, not normalised.
    """
    feature_map = keras.Input(feature_shape, name="feature_map")
    x = normalisation.batch_norm("feature_bn")(feature_map)
    x = keras.layers.Dropout(dropout, name="dropout")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(dimension, name="fc")(x)
    x = normalisation.batch_norm("embedding_bn")(x)
    return keras.Model(feature_map, x, name=name)


def depthwise_head(
    feature_shape: tuple[int, int, int],
    dimension: int = 192,
    batch_norm: bool = True,
    name: str = "embedding_head",
) -> keras.Model:
    """Return MobileFaceNet's embedding head: global depthwise convolution, two 1×1 ones, linear.

    It is a functional model from a feature map (N, h, w, c) to an embedding (N, dimension), which
    is float32 and not normalised. Without batch normalisation after each convolution it is for
    folded weights, as in `mobilefacenet`.
    """
    height, width, channels = feature_shape
    feature_map = keras.Input(feature_shape, name="feature_map")
    x = feature_map
    for layer in (
        keras.layers.DepthwiseConv2D((height, width), use_bias=not batch_norm, name="depthwise"),
        keras.layers.Conv2D(channels, 1, use_bias=not batch_norm, name="mix"),
        keras.layers.Conv2D(dimension, 1, use_bias=not batch_norm, name="project"),
    ):
        x = layer(x)
        if batch_norm:
            x = normalisation.batch_norm(f"{layer.name}_bn", epsilon=1e-3, momentum=0.995)(x)
    x = keras.layers.Flatten(name="flatten")(x)
    return keras.Model(feature_map, x, name=name)
