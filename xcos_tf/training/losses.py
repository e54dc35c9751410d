"""The losses of the two branches."""

import tensorflow as tf


def xcos_loss(
    score: tf.Tensor, teacher_cosine: tf.Tensor, same: tf.Tensor | None = None
) -> tf.Tensor:
    """L_cos (Eq. 10): mean over pairs of the squared difference of xCos and the teacher's cosine.

    Args:
        score: float32 (P,), xCos of each pair.
        teacher_cosine: float32 (P,), in [−1, 1].
        same: bool (P,), whether the pair is genuine. If it is given, genuine and impostor pairs
            each make half of the mean, however many there are of either; the paper's does not.

    Returns:
        float32 scalar ≥ 0.
    """
    squared = tf.square(score - teacher_cosine)
    if same is None:
        return tf.reduce_mean(squared)
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
