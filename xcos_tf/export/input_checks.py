"""Checks of a served graph's inputs, made when it runs."""

import tensorflow as tf


def checked_batch(value: tf.Tensor, name: str, what: str) -> tf.Tensor:
    """Return an input that, when the graph runs, is refused unless it has its declared shape.

    TF Serving's session feeds what it was sent whatever shape the signature declares, and an
    operation in the midst of the network would fail in words about itself. A batch of none is
    refused too, as not every build of TensorFlow can convolve it.

    Args:
        value: input of known rank and known sizes after the batch axis.
        name: of the input.
        what: one row holds, in the plural.

    Returns:
        The same; whatever is computed of it waits for the check, which raises
        `tf.errors.InvalidArgumentError`.
    """
    declared = value.shape
    # Of the declared shape, the graph's optimisers would conclude that the check always passes.
    fed = tf.raw_ops.PlaceholderWithDefault(input=value, shape=None)
    sizes = tf.shape(fed)
    fits = tf.reduce_all(
        [
            tf.equal(tf.size(sizes), declared.rank),
            tf.reduce_all(sizes > 0),
            tf.reduce_all(sizes[1:] == tf.constant(declared[1:].as_list(), tf.int32)),
        ]
    )
    shape = ", ".join(["N", *map(str, declared[1:])]) + ("," if declared.rank == 1 else "")
    message = (
        f"Expected {name} to be a batch of {what}, of shape ({shape}), N ≥ 1; a single one needs "
        "a first dimension of 1. Received shape:"
    )
    with tf.control_dependencies([tf.debugging.Assert(fits, [message, sizes], summarize=8)]):
        return tf.ensure_shape(tf.identity(fed), declared)


def checked_pair(
    a: tf.Tensor, b: tf.Tensor, names: tuple[str, str], one_to_many: bool = False
) -> tuple[tf.Tensor, tf.Tensor]:
    """Return two batches that, when the graph runs, are refused unless they pair up.

    Args:
        a, b: batches.
        names: of the two inputs.
        one_to_many: whether `a` may also hold a single row.
    """
    counts = tf.shape(a)[0], tf.shape(b)[0]
    fits = tf.equal(*counts)
    wanted = f"as many rows in {names[0]} as in {names[1]}"
    if one_to_many:
        fits = tf.logical_or(fits, tf.equal(counts[0], 1))
        wanted = f"one row in {names[0]}, or {wanted}"
    check = tf.debugging.Assert(fits, [f"Expected {wanted}. Received:", *counts])
    with tf.control_dependencies([check]):
        return tf.identity(a), tf.identity(b)
