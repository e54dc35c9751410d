"""A network, a trainer and batches small enough for tests."""

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.models.margins import CosFaceHead
from xcos_tf.models.network import XCos
from xcos_tf.training.model import Part, Trainer
from xcos_tf.training.schedules import cosine

PEOPLE, DIMENSION = 10, 6
WEIGHTS = {"identification": 0.1, "patched": 0.5, "learned": 1.0}


def small_network():
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(6, 3, strides=4, padding="same", name="conv")(image)
    backbone = keras.Model(image, keras.layers.LeakyReLU(0.3, name="relu")(x), name="backbone")
    return XCos(backbone, channels=4, batch_norm=False)


def freeze_batch_norm(model):
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            freeze_batch_norm(layer)
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.trainable = False


def small_trainer(seed=0, steps=50, frozen_batch_norm=False, l2=0.0, **options):
    """Return a compiled trainer; the same seed gives the same weights."""
    keras.utils.set_random_seed(seed)
    network = small_network()
    if frozen_batch_norm:
        freeze_batch_norm(network.comparisons["learned"])
    head = CosFaceHead(PEOPLE, scale=8.0, name="margin_head")
    head.build((None, 2 * 2 * 4))
    trainer = Trainer(network, head, WEIGHTS, **options)
    parts = (network.features, network.comparisons["learned"], head)
    trainer.compile(
        [
            Part(part, keras.optimizers.SGD(cosine(rate, steps, 2), momentum=0.9), l2)
            for part, rate in zip(parts, (0.05, 0.02, 0.1), strict=True)
        ],
        jit_compile=False,
    )
    return trainer


def small_batches(count, groups=4, faces=6, pairs=5, seed=0):
    """Return NumPy batches in the form that `Trainer` takes, each group with 2 genuine pairs."""
    random = np.random.default_rng(seed)
    teacher = random.normal(size=(count, groups, faces, DIMENSION))
    shape = (count, groups, pairs)
    return {
        "input": random.normal(size=(count, groups, faces, 8, 8, 3)).astype(np.float32),
        "label": random.integers(PEOPLE - 4, size=(count, groups, faces)).astype(np.int32),
        "first": random.integers(faces, size=shape).astype(np.int32),
        "second": random.integers(faces, size=shape).astype(np.int32),
        "same": np.broadcast_to(np.arange(pairs) < 2, shape).astype(np.int32),
        "teacher": (teacher / np.linalg.norm(teacher, axis=-1, keepdims=True)).astype(np.float32),
    }


def one(batches, index):
    return {name: tf.constant(value[index]) for name, value in batches.items()}


def weights_of(trainer):
    return [np.asarray(weight) for weight in trainer.get_weights()]
