"""The losses of the two branches, and one that makes S·W faithful."""

import tensorflow as tf

from xcos_tf.models.normalisation import unit_length


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
    halves = [
        0.5 * tf.math.divide_no_nan(tf.reduce_sum(squared * kind), tf.reduce_sum(kind))
        for kind in (genuine, 1.0 - genuine)
    ]
    return halves[0] + halves[1]


def identification_loss(logits: tf.Tensor, labels: tf.Tensor) -> tf.Tensor:
    """L_id: cross-entropy of a margin head's logits (N, people), labels int (N,)."""
    return tf.reduce_mean(
        tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    )


def cover_cells(images: tf.Tensor, grid: tuple[int, int], black: bool) -> tf.Tensor:
    """Return copies of images, in each of which another cell is covered.

    Args:
        images: float32 (N, H, W, 3) in [−1, 1].
        grid: h and w of the cells; they divide H and W.
        black: whether black covers a cell, or a blur of the image itself.

    Returns:
        float32 (N·h·w, H, W, 3), an image's copies one after another, row by row of its cells.
    """
    (h, w), (height, width) = grid, images.shape[1:3]
    if black:
        fill = tf.fill(tf.shape(images), -127.5 / 128)
    else:
        fill = tf.image.resize(tf.image.resize(images, grid, "area"), (height, width))
    cells = tf.reshape(tf.eye(h * w), (1, h * w, h, w, 1))
    covered = tf.repeat(tf.repeat(cells, height // h, axis=2), width // w, axis=3)
    copies = covered * fill[:, tf.newaxis] + (1 - covered) * images[:, tf.newaxis]
    return tf.reshape(copies, (-1, height, width, 3))


def covering_loss(contributions: tf.Tensor, effects: tf.Tensor) -> tf.Tensor:
    """Return 1 − the mean correlation of what a pair's cells contribute with what covering does.

    Args:
        contributions: float32 (P, h, w), S·W.
        effects: float32 (P, h, w), by how much the teacher's cosine falls when a cell of a face is
            covered.

    Returns:
        float32 scalar in [0, 2]: 1 less the mean of Pearson's correlations over a pair's cells.
    """
    cells = [tf.reshape(x, (tf.shape(x)[0], -1)) for x in (contributions, effects)]
    first, second = (unit_length(x - tf.reduce_mean(x, 1, keepdims=True)) for x in cells)
    return 1 - tf.reduce_mean(tf.reduce_sum(first * second, axis=1))
