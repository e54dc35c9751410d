"""Partial FC: a sample of the people for a margin softmax that would otherwise cost too much.

An et al., *Killing Two Birds with One Stone*, CVPR 2022, Sec. 3.2.
"""

import tensorflow as tf

from xcos_tf.environment import keras
from xcos_tf.models.weights import variable_path


def sample_classes(
    labels: tf.Tensor, classes: int, sample: int, seed: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Draw which classes a step's softmax is over: all of the batch's, filled up at random.

    `labels`, int (N,) in [0, classes), are those of the whole global batch, and `sample` is no less
    than how many differ. The same seed, int (2,), draws the same classes.

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


class SampledRows(keras.layers.Layer):
    """The rows of a margin head's kernel that a step trains, taken out for it and put back after.

    An optimizer is built on `rows` in place of the kernel. What it keeps of each row, such as its
    momentum, lives in tables of the kernel's shape, from which the sampled rows' are taken too. So
    a step reads, changes and writes nothing of the other people: their momentum and moments stay,
    and no weight decay acts on them, as in InsightFace's partial_fc.

    Attributes:
        rows: float32 variable (sample, dimension).
    """

    def __init__(self, kernel, sample: int, **kwargs):
        """Take rows from `kernel`, a variable (classes, dimension)."""
        super().__init__(**kwargs)
        self.rows = self.add_weight(
            name="sampled_rows", shape=(sample, kernel.shape[1]), initializer="zeros"
        )
        tables = [(kernel, self.rows)]
        self._tables = lambda: tables  # in a closure, as not all of them are this layer's own
        self.built = True

    def follow(self, variables: list) -> None:
        """Keep those of an optimizer's variables that belong to `rows` in tables of all people."""
        for slot in variables:
            name = variable_path(slot)
            if "sampled_rows" in name and tuple(slot.shape) == tuple(self.rows.shape):
                start = keras.initializers.Constant(float(tf.reshape(slot, [-1])[0]))
                tables = self._tables()
                table = self.add_weight(
                    name=f"table_{len(tables)}",
                    shape=tables[0][0].shape,
                    initializer=start,
                    trainable=False,
                )
                tables.append((table, slot))

    def take(self, kept: tf.Tensor) -> None:
        """Set `rows`, and what the optimizer keeps of them, to those of the classes `kept`."""
        for table, rows in self._tables():
            _update(rows, lambda rows, table, at: rows.assign(tf.gather(table, at)), table, kept)

    def put(self, kept: tf.Tensor) -> None:
        """Write them back."""
        for table, rows in self._tables():
            _update(table, lambda t, r, at: t.scatter_update(tf.IndexedSlices(r, at)), rows, kept)


def _update(variable, function, other, kept: tf.Tensor) -> None:
    """Change a variable on each replica by `function` of its own, another variable and `kept`."""
    # Keras 3 wraps TensorFlow's variables.
    variable, other = (v if isinstance(v, tf.Variable) else v.value for v in (variable, other))
    extended = tf.distribute.get_strategy().extended
    extended.update(variable, function, args=(other, kept), group=False)
