"""The losses of the two branches."""

import tensorflow as tf


def xcos_loss(score: tf.Tensor, teacher_cosine: tf.Tensor, same: tf.Tensor) -> tf.Tensor:
    """L_cos (Eq. 10): mean squared difference of xCos and the teacher's cosine.

    Genuine and impostor pairs each make half of the mean, however many there are of either.

    Args:
        score: float32 (P,), xCos of each pair.
        teacher_cosine: float32 (P,), in [−1, 1].
        same: bool (P,), whether the pair is genuine.

    Returns:
        float32 scalar ≥ 0.
    """
    squared = tf.square(score - teacher_cosine)
    genuine = tf.cast(same, tf.float32)
    impostor = 1.0 - genuine
    return 0.5 * tf.math.divide_no_nan(
        tf.reduce_sum(squared * genuine), tf.reduce_sum(genuine)
    ) + 0.5 * tf.math.divide_no_nan(tf.reduce_sum(squared * impostor), tf.reduce_sum(impostor))


def identification_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """L_id: cross-entropy of a margin head's logits (N, people), labels int (N,)."""
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    )
