"""Pairs of the faces that a batch happens to hold."""

import tensorflow as tf


def pair_up(labels: tf.Tensor, seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Give each face a partner, of the same person or of another by the toss of a coin.

    Where a batch has no partner of one kind, a face gets one of the other kind; the only face of a
    batch is its own.

    Args:
        labels: int (N,), whose the faces are.
        seed: int (2,); the same seed draws the same.

    Returns:
        int32 (N,), the place of each face's partner; and int32 (N,), 1 where it is the same
        person's, else 0.
    """
    count = tf.shape(labels)[0]
    draws = tf.random.stateless_uniform((count, count + 1), seed)
    coin, draws = draws[:, :1] < 0.5, draws[:, 1:]
    same = labels[:, tf.newaxis] == labels
    others = ~tf.eye(count, dtype=tf.bool)
    # Whom the coin asks for comes before anyone else, and anyone before the face itself.
    wanted = tf.cast((same == coin) & others, tf.float32) + tf.cast(others, tf.float32)
    partner = tf.argmax(draws + wanted, axis=1, output_type=tf.int32)
    return partner, tf.cast(tf.gather(labels, partner) == labels, tf.int32)
