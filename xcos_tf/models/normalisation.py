"""What brings pixels, vectors and the maps within a network to one scale."""

from collections.abc import Sequence

import tensorflow as tf

from xcos_tf.environment import keras


def normalise_pixels(images: tf.Tensor) -> tf.Tensor:
    """Return (x − 127.5) / 128 as float32: uint8 RGB of any shape becomes values in [−1, 1].

    In NumPy, in `tf.data` and in exported graphs alike.
    """
    return (tf.cast(images, tf.float32) - 127.5) / 128.0


def unit_length(vectors: tf.Tensor) -> tf.Tensor:
    """Return float32 (..., c) with each vector scaled to unit length, however short it is.

    An all-zero vector stays zero, so that its cosine with anything is 0 and never NaN; its gradient
    is 0.
    """
    vectors = tf.cast(vectors, tf.float32)
    # The squares of a very short vector would underflow. What it is divided by here does not change
    # its direction, so there is no gradient through it.
    largest = tf.stop_gradient(tf.reduce_max(tf.abs(vectors), axis=-1, keepdims=True))
    return tf.math.l2_normalize(tf.math.divide_no_nan(vectors, largest), axis=-1)


def batch_norm(
    name: str, epsilon: float = 1e-5, momentum: float = 0.9
) -> keras.layers.BatchNormalization:
    """Return a batch normalisation whose statistics are those of all replicas together.

    So that training on several devices is training on one with the whole batch. The defaults are
    PyTorch's, in whose terms the momentum is 0.1.
    """
    return keras.layers.BatchNormalization(
        epsilon=epsilon, momentum=momentum, synchronized=True, name=name
    )


def prelu(name: str, shared_axes: Sequence[int] = (1, 2)) -> keras.layers.PReLU:
    """Return a PReLU as PyTorch starts it, whose slopes are one along `shared_axes`."""
    start = keras.initializers.Constant(0.25)
    return keras.layers.PReLU(alpha_initializer=start, shared_axes=list(shared_axes), name=name)
