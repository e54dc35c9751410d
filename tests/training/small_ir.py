"""Trains an IR-SE backbone of a unit of each kind on 16×16 images, with two logical CPUs.

python -m tests.training.small_ir OUT.npz

Writes {"precision/replicas/name": value}: what the losses are, and what the state becomes.
"""

import sys
from unittest.mock import patch

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.environment import default_settings
from xcos_tf.models import ir
from xcos_tf.models.builder import build_network
from xcos_tf.training.checkpoints import trainer_state
from xcos_tf.training.model import Part, Trainer
from xcos_tf.training.optimizers import read

BACKBONE = {"kind": "ir", "depth": 50, "squeeze_excitation": True, "input_size": 16}
XCOS = {"xcos": {"attentions": ["learned"], "symmetric": False}}
BASELINE = {"embedding_head": {"kind": "fc", "dimension": 16, "dropout": 0.0}}
STEPS = 3


def build(policy: str) -> Trainer:
    stages = patch.multiple(ir, STAGE_CHANNELS=(64, 128), STAGE_UNITS={50: (1, 1)})
    with stages, default_settings(policy):
        keras.utils.set_random_seed(3)
        network, teacher = (build_network({"backbone": BACKBONE, **x}) for x in (XCOS, BASELINE))
        trainer = Trainer(network, 5, {"identification": 1.0, "learned": 1.0}, teacher)
    parts = trainer.parts
    optimizers = {name: keras.optimizers.SGD(1e-3, momentum=0.9) for name in parts}
    optimizers["attention"] = keras.optimizers.Adam(1e-4, amsgrad=True, epsilon=1e-3)
    trainer.compile([Part(parts[name], optimizers[name], 4e-5) for name in parts])
    return trainer


def batches(context=None) -> tf.data.Dataset:
    random = np.random.default_rng(0)
    images = random.normal(0, 0.3, (STEPS, 4, 4, 16, 16, 3)).astype(np.float32)
    label = random.integers(5, size=(STEPS, 4, 4)).astype(np.int32)
    first, second = (np.full((STEPS, 4, 2), x, np.int32) for x in ([0, 1], [2, 3]))
    pairs = {"first": first, "second": second, "same": np.zeros_like(first)}
    count = context.num_replicas_in_sync if context else 1
    slices = tf.data.Dataset.from_tensor_slices({"input": images, "label": label, **pairs})
    return slices.unbatch().batch(4 // count)


def main(out: str) -> None:
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    found = {}
    for policy in ("float32", "mixed_float16"):
        for strategy in (
            tf.distribute.OneDeviceStrategy("CPU:0"),
            tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]),
        ):
            with strategy.scope():
                trainer = build(policy)
            where = f"{policy}/{strategy.num_replicas_in_sync}"
            found |= {f"{where}/before/{k}": read(v) for k, v in trainer_state(trainer).items()}
            data = iter(strategy.distribute_datasets_from_function(batches))
            step = tf.function(lambda b, s=strategy, t=trainer: s.run(t.make_step, args=(b,)))
            for number in range(STEPS):
                for name, value in step(next(data)).items():
                    loss = strategy.experimental_local_results(value)[0]
                    found[f"{where}/{number}/{name}"] = np.asarray(loss)
            found |= {f"{where}/after/{k}": read(v) for k, v in trainer_state(trainer).items()}
            found[f"{where}/dtype"] = np.array(trainer.network.backbone.compute_dtype)
    np.savez(out, **{name.replace("/", "|"): value for name, value in found.items()})


if __name__ == "__main__":
    main(sys.argv[1])
