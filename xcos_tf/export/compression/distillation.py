"""What a compressed network is trained for: the grid of the one it came from."""

import tensorflow as tf

from xcos_tf.models.similarity import unit_length

L2_WEIGHT = 0.5


def distillation_loss(grid: tf.Tensor, teacher: tf.Tensor) -> tf.Tensor:
    """Return 1 − the mean cosine of each two cells, and a part of their squared difference.

    S sees the cells' directions alone, the learned W also their lengths.

    Args:
        grid, teacher: float32 (N, h, w, c).
    """
    cosine = tf.reduce_sum(unit_length(grid) * unit_length(teacher), axis=-1)
    error = tf.reduce_mean(tf.square(grid - teacher)) / tf.reduce_mean(tf.square(teacher))
    return 1 - tf.reduce_mean(cosine) + L2_WEIGHT * error
