"""Drives the small trainer in a process of its own, where devices can still be chosen.

python -m tests.training.drive OUT.npz {plain,whole} REPLICAS STEPS [CHECKPOINTS CHECKPOINT_EVERY]

A "whole" one scales its loss, samples people, clips gradients and makes four steps in a call.
"""

import os
import sys
import tempfile

import numpy as np
import tensorflow as tf

from tests.training.small import small_batches, small_trainer
from xcos_tf.training.checkpoints import Checkpoints, trainer_state
from xcos_tf.training.loop import Cadence, train_loop
from xcos_tf.training.optimizers import read

GROUPS = 4


def dataset_of(batches):
    def build(first, last, groups, batch_groups):
        part = {
            name: value[first:last, groups.start : groups.stop] for name, value in batches.items()
        }
        shaped = {
            name: value.reshape(-1, batch_groups, *value.shape[2:]) for name, value in part.items()
        }
        return tf.data.Dataset.from_tensor_slices(shaped)

    return build


WHOLE = {"scale_loss": True, "sample": 8, "clip_norm": 1.0, "l2": 0.01}


def main(out, kind, replicas, steps, folder=None, every="1000000"):
    replicas, steps = int(replicas), int(steps)
    cpu = tf.config.list_physical_devices("CPU")[0]
    logical = tf.config.LogicalDeviceConfiguration()
    tf.config.set_logical_device_configuration(cpu, [logical] * replicas)
    tf.config.experimental.enable_op_determinism()
    if "TF_CONFIG" in os.environ:
        strategy = tf.distribute.MultiWorkerMirroredStrategy()
    elif replicas > 1:
        strategy = tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(replicas)])
    else:
        strategy = tf.distribute.get_strategy()
    with strategy.scope():
        trainer = small_trainer(steps=steps, **(WHOLE if kind == "whole" else {}))
    build = dataset_of(small_batches(steps, groups=GROUPS))
    checkpoints = Checkpoints(folder or tempfile.mkdtemp())
    made = train_loop(
        trainer,
        build,
        checkpoints,
        steps,
        GROUPS,
        Cadence(int(every)),
        strategy,
        steps_per_execution=4 if kind == "whole" else 1,
        meet=lambda step, losses: print(step, flush=True),
        meet_every=[1] if kind == "plain" else [],
    )
    if made < steps:
        return
    arrays = {name.replace("/", "-"): read(v) for name, v in trainer_state(trainer).items()}
    np.savez(out, **arrays)


if __name__ == "__main__":
    main(*sys.argv[1:])
