import numpy as np
import tensorflow as tf

from xcos_tf.models.preprocessing import normalise_pixels


def test_pixels_are_scaled_as_in_the_paper():
    pixels = np.array([[0, 127], [128, 255]], np.uint8)
    scaled = normalise_pixels(tf.constant(pixels))
    assert scaled.dtype == tf.float32
    np.testing.assert_array_equal(scaled, np.array([[-127.5, -0.5], [0.5, 127.5]]) / 128)
