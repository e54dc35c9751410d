import numpy as np
import tensorflow as tf

from xcos_tf.models.normalisation import batch_norm, normalise_pixels


def test_it_is_that_of_pytorch(random):
    layer = batch_norm("bn")
    x = random.normal(3, 2, size=(40, 5)).astype(np.float32)
    normalised = layer(x, training=True).numpy()
    mean, variance = x.mean(0), x.var(0)
    np.testing.assert_allclose(normalised, (x - mean) / np.sqrt(variance + 1e-5), atol=1e-5)
    # PyTorch's momentum of 0.1 is the share of what is new.
    np.testing.assert_allclose(layer.moving_mean, 0.1 * mean, rtol=1e-5)
    np.testing.assert_allclose(layer.moving_variance, 0.9 + 0.1 * variance, rtol=1e-5)


def test_a_small_variance_is_added_to(random):
    layer = batch_norm("bn")
    layer.build((None, 3))
    layer.set_weights([np.ones(3), np.zeros(3), np.zeros(3), np.full(3, 3e-5)])
    x = random.normal(size=(4, 3)).astype(np.float32)
    np.testing.assert_allclose(layer(x), x / np.sqrt(4e-5), rtol=1e-4)


def test_pixels_are_scaled_as_in_the_paper():
    pixels = np.array([[0, 127], [128, 255]], np.uint8)
    scaled = normalise_pixels(tf.constant(pixels))
    assert scaled.dtype == tf.float32
    np.testing.assert_array_equal(scaled, np.array([[-127.5, -0.5], [0.5, 127.5]]) / 128)
