"""What a step does to batch normalisation: its statistics are those of the faces as they are."""

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from xcos_tf.models.network import XCos
from xcos_tf.training.model import Part, Trainer


@pytest.fixture(scope="module")
def network():
    """Cells of 16 pixels, convolved and normalised."""
    keras.utils.set_random_seed(4)
    image = keras.Input((64, 64, 3), name="image")
    cells = keras.layers.Conv2D(5, 16, strides=16, name="cells")(image)
    return XCos(keras.Model(image, cells, name="backbone"), channels=4, attentions=("learned",))


@pytest.fixture
def batch(random):
    images = random.normal(1, 1, size=(2, 4, 64, 64, 3)).astype(np.float32)
    teacher = np.broadcast_to(np.eye(4, dtype=np.float32), (2, 4, 4))
    pairs = {"first": [[0, 1]] * 2, "second": [[2, 3]] * 2, "same": [[1, 0]] * 2}
    return {
        "input": tf.constant(images),
        "label": tf.constant([[0, 1, 0, 1]] * 2),
        "teacher": tf.constant(teacher),
        **{name: tf.constant(value) for name, value in pairs.items()},
    }


def test_a_step_takes_in_each_face_once(network, batch):
    trainer = Trainer(network, 2, {"identification": 1.0, "learned": 1.0})
    trainer.compile([Part(network.features, keras.optimizers.SGD(0.0))])
    norm = network.head.get_layer("bn")
    attention = network.comparisons["learned"].get_layer("learned_attention")
    fused = attention.get_layer("fuse_bn")
    before = [np.array(x) for x in (norm.moving_mean, norm.moving_variance, fused.moving_mean)]
    trainer.make_step(batch)
    images = tf.reshape(batch["input"], (8, 64, 64, 3))
    features = network.head.get_layer("conv")(network.backbone(images)).numpy()
    mean, variance = features.mean((0, 1, 2)), features.var((0, 1, 2))
    expected = [0.9 * before[0] + 0.1 * mean, 0.9 * before[1] + 0.1 * variance]
    np.testing.assert_allclose(norm.moving_mean, expected[0], rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(norm.moving_variance, expected[1], rtol=2e-2)
    assert np.abs(np.asarray(fused.moving_mean) - before[2]).max() > 0


def test_an_evaluation_leaves_them_alone(network, batch):
    trainer = Trainer(network, 2, {"identification": 1.0, "learned": 1.0})
    trainer.compile([Part(network.features, keras.optimizers.SGD(0.0))])
    before = [np.array(value) for value in network.get_weights()]
    trainer.test_step(batch)
    for value, old in zip(network.get_weights(), before, strict=True):
        np.testing.assert_array_equal(value, old)
