"""From pixels to a backbone's input, in NumPy, in `tf.data` and in exported graphs alike."""

import tensorflow as tf


def normalise_pixels(images: tf.Tensor) -> tf.Tensor:
    """Return (x − 127.5) / 128 as float32: uint8 RGB of any shape becomes values in [−1, 1]."""
    return (tf.cast(images, tf.float32) - 127.5) / 128.0
