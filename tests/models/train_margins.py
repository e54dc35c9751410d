"""Trains both margin heads on one replica and on two, in a process that can still choose devices.

python -m tests.models.train_margins OUT.npz
"""

import sys

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.models.margins import ArcFaceHead, CosFaceHead
from xcos_tf.training.losses import identification_loss

EMBEDDINGS, CLASSES, STEPS = np.eye(6, 8, dtype=np.float32), 5, 60
LABELS = np.array([3, 0, 4, 1, 2, 2])


def main(out: str) -> None:
    """Write each head's losses and kernel, float32 (replicas, …)."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    logical = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [logical] * 2)
    strategies = [tf.distribute.MirroredStrategy(x) for x in (["CPU:0"], ["CPU:0", "CPU:1"])]
    assert [strategy.num_replicas_in_sync for strategy in strategies] == [1, 2]
    found = {}
    for head_class in (ArcFaceHead, CosFaceHead):
        runs = [train(strategy, head_class) for strategy in strategies]
        for name, values in zip(("losses", "kernel"), zip(*runs, strict=True), strict=True):
            found[f"{head_class.__name__}-{name}"] = values
    np.savez(out, **found)


def train(strategy, head_class):
    """Return the loss of each step, and the kernel after the last; replicas share the faces."""
    with strategy.scope():
        head = head_class(CLASSES, scale=8.0)
        head.build((None, EMBEDDINGS.shape[1]))
        head.set_weights([np.random.default_rng(3).normal(size=(CLASSES, 8))])
        optimizer = keras.optimizers.SGD(0.5)
        optimizer.build(head.trainable_variables)

    def replica_step():
        context = tf.distribute.get_replica_context()
        count = context.num_replicas_in_sync
        share = len(LABELS) // count
        start = context.replica_id_in_sync_group * share
        embeddings, labels = (tf.constant(x)[start : start + share] for x in (EMBEDDINGS, LABELS))
        with tf.GradientTape() as tape:
            loss = identification_loss(head(embeddings, labels), labels) / count
        gradients = tape.gradient(loss, head.trainable_variables)
        optimizer.apply_gradients(zip(gradients, head.trainable_variables, strict=True))
        return context.all_reduce("SUM", loss)

    def read(value):
        return np.asarray(strategy.experimental_local_results(value)[-1])

    step = tf.function(lambda: strategy.run(replica_step))
    losses = [read(step()) for _ in range(STEPS)]
    return losses, read(head.kernel)


if __name__ == "__main__":
    main(*sys.argv[1:])
