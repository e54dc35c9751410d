"""A sample of the people for a margin softmax that would otherwise cost too much."""

import tensorflow as tf


def sample_classes(
    labels: tf.Tensor, classes: int, sample: int, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draw which classes a step's softmax is over: all of the batch's, filled up at random.

    Partial FC (An et al., *Killing Two Birds with One Stone*, CVPR 2022, Sec. 3.2).

    Args:
        labels: int (N,), the labels of the whole global batch, in [0, classes).
        classes: how many there are.
        sample: how many to keep; at least as many as there are different labels.
        seed: int (2,); the same seed draws the same classes.

    Returns:
        int32 (sample,), the classes kept, ascending; and int32 (classes,), each class's place
        among them, −1 for one that is not.
    """
    order = tf.random.stateless_uniform((classes,), seed)
    wanted = tf.scatter_nd(labels[:, tf.newaxis], tf.ones_like(labels, tf.float32), (classes,))
    kept = tf.math.top_k(order + 2.0 * tf.cast(wanted > 0, tf.float32), sample).indices
    kept = tf.sort(kept)
    place = tf.tensor_scatter_nd_update(
        tf.fill((classes,), -1), kept[:, tf.newaxis], tf.range(sample)
    )
    return kept, place
