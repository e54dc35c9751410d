import io

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from xcos_tf.data.training_input import face_batches


class Faces:
    def __init__(self, size):
        noise = np.random.default_rng(0).integers(0, 256, (5, size, size, 3))
        self.pixels = noise.astype(np.uint8)

    def read(self, positions):
        files = [io.BytesIO() for _ in positions]
        for file, position in zip(files, positions, strict=True):
            Image.fromarray(self.pixels[position]).save(file, "PNG")
        return [file.getvalue() for file in files]


def test_faces_come_normalised_in_the_order_asked_for():
    faces, order = Faces(8), [4, 0, 3, 3, 1]
    batches = [batch.numpy() for batch in face_batches(faces, order, size=8, batch=2)]
    assert [len(batch) for batch in batches] == [2, 2, 1]
    expected = (faces.pixels[order].astype(np.float32) - 127.5) / 128
    np.testing.assert_array_equal(np.concatenate(batches), expected)


def test_faces_of_another_size_stop_it():
    with pytest.raises(tf.errors.InvalidArgumentError):
        list(face_batches(Faces(8), [0], size=112))
