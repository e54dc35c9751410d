"""A few faces that are told apart by noise, and a model with a teacher that takes them."""

import io

import numpy as np
from PIL import Image
from tensorflow import keras

from tests.training.small import small_network
from xcos_tf.training.model import Trainer


class Faces:
    """Four people with five noisy 8×8 faces each."""

    def __init__(self):
        random = np.random.default_rng(0)
        self.labels = np.repeat(np.arange(4, dtype=np.int32), 5)
        pattern = random.uniform(0, 255, (4, 8, 8, 3))[self.labels]
        noisy = pattern + random.normal(0, 40, pattern.shape)
        self.pixels = np.clip(noisy, 0, 255).astype(np.uint8)

    def __len__(self):
        return len(self.labels)

    def read(self, positions):
        files = [io.BytesIO() for _ in positions]
        for file, position in zip(files, positions, strict=True):
            Image.fromarray(self.pixels[position]).save(file, "PNG")
        return [file.getvalue() for file in files]

    def normalised(self):
        return (self.pixels.astype(np.float32) - 127.5) / 128


def small_pupil() -> Trainer:
    keras.utils.set_random_seed(1)
    network = small_network()
    teacher = keras.Sequential([keras.layers.Flatten(), keras.layers.Dense(6)])
    teacher.build((None, 8, 8, 3))
    return Trainer(network, 4, {"learned": 1.0}, teacher)
