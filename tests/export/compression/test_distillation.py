"""The loss against NumPy."""

import numpy as np
import pytest
import tensorflow as tf

from xcos_tf.export.compression.fine_tuning import distillation_loss


def test_loss_is_that_of_numpy(random):
    grid, teacher = random.normal(size=(2, 5, 3, 4, 6)).astype(np.float32)
    lengths = np.linalg.norm(grid, axis=-1) * np.linalg.norm(teacher, axis=-1)
    cosine = (grid * teacher).sum(axis=-1) / lengths
    expected = 1 - cosine.mean() + 0.5 * np.mean((grid - teacher) ** 2) / np.mean(teacher**2)
    found = distillation_loss(tf.constant(grid), tf.constant(teacher))
    assert float(found) == pytest.approx(expected, rel=1e-5)


def test_the_teacher_itself_has_no_loss(random):
    teacher = tf.constant(random.normal(size=(3, 2, 2, 4)), tf.float32)
    assert float(distillation_loss(teacher, teacher)) == pytest.approx(0, abs=1e-6)


def test_the_length_of_cells_counts_little(random):
    teacher = tf.constant(random.normal(size=(3, 2, 2, 4)), tf.float32)
    assert float(distillation_loss(1.1 * teacher, teacher)) == pytest.approx(0.005, rel=1e-3)
    assert float(distillation_loss(-teacher, teacher)) == pytest.approx(4)
