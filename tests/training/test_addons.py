"""Training by tensorflow-addons' optimizers, which are legacy optimizers of Keras 2."""

import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.training.drive import dataset_of
from tests.training.small import one, small_batches, small_trainer
from xcos_tf.errors import XcosError
from xcos_tf.training.checkpoints import Checkpoints, trainer_state
from xcos_tf.training.loop import Cadence, train_loop
from xcos_tf.training.model import Part
from xcos_tf.training.optimizers import build_optimizer, read
from xcos_tf.training.schedules import cosine

pytestmark = pytest.mark.addons

BATCHES = small_batches(6)
# A bias before batch normalisation has no gradient but rounding errors. With the usual epsilon
# those would make whole steps, and no two ways of adding up would agree.
LAMB = {"name": "Addons>LAMB", "epsilon": 1.0e-3}


def addons_trainer(section, rate=None, seed=0):
    """Return the small trainer with one such optimizer for each of its three parts."""
    trainer = small_trainer(seed)
    parts = (trainer.features, trainer.network.comparisons["learned"], trainer.margin_head)
    built = [build_optimizer(section, rate or cosine(0.02, 20, 2)) for _ in parts]
    trainer.compile(
        [Part(part, b.optimizer, b.l2) for part, b in zip(parts, built, strict=True)],
        jit_compile=False,
    )
    return trainer


@pytest.mark.parametrize(
    "section",
    [
        {"name": "Addons>LAMB", "weight_decay": 1.0e-4},
        {"name": "Addons>AdamW", "weight_decay": 1.0e-4},
        {"name": "Addons>SGDW", "weight_decay": 1.0e-4, "momentum": 0.9},
        {"name": "Addons>AdaBelief"},
        {"name": "Addons>LazyAdam"},
        {"name": "Addons>NovoGrad"},
        {"name": "Addons>RectifiedAdam"},
        {"name": "Addons>Yogi"},
    ],
    ids=lambda section: section["name"],
)
def test_they_train_every_part_on_a_schedule(section):
    trainer = addons_trainer(section)
    module = type(trainer.optimizer).__module__
    assert module.startswith("tensorflow_addons.optimizers")
    before = [np.array(weight) for weight in trainer.trainable_weights]
    step = tf.function(trainer.make_step)
    losses = [float(step(one(BATCHES, 0))["total"]) for _ in range(8)]
    assert losses[-1] < losses[0]
    for weight, old in zip(trainer.trainable_weights, before, strict=True):
        assert np.abs(np.asarray(weight) - old).max() > 0, weight.name
    assert [int(read(o.iterations)) for o in trainer.optimizers_by_part.values()] == [8] * 3


def test_lamb_makes_the_steps_of_its_paper():
    trainer = small_trainer()
    head = trainer.margin_head
    built = build_optimizer({"name": "Addons>LAMB", "weight_decay": 0.1, "l2": 0.05}, 0.02)
    trainer.compile([Part(head, built.optimizer, built.l2)], jit_compile=False)
    expected, m, v = np.asarray(head.kernel, np.float64), 0.0, 0.0
    for index in range(3):
        batch = one(BATCHES, index)
        with tf.GradientTape() as tape:
            loss = trainer.losses_of(batch)["total"]
        gradient = tape.gradient(loss, head.trainable_variables)[0].numpy() + 0.05 * expected
        # You et al., ICLR 2020, algorithm 2
        m, v = 0.9 * m + 0.1 * gradient, 0.999 * v + 0.001 * gradient**2
        direction = m / (1 - 0.9 ** (index + 1))
        direction /= np.sqrt(v / (1 - 0.999 ** (index + 1))) + 1e-6
        direction += 0.1 * expected
        trust = np.linalg.norm(expected) / np.linalg.norm(direction)
        expected = expected - 0.02 * trust * direction
        trainer.make_step(batch)
        np.testing.assert_allclose(np.asarray(head.kernel), expected, atol=1e-5)


def test_fit_makes_the_same_steps():
    by_hand, fitted = (addons_trainer(LAMB) for _ in range(2))
    for index in range(3):
        by_hand.make_step(one(BATCHES, index))
    batches = {name: value[:3].reshape(-1, *value.shape[2:]) for name, value in BATCHES.items()}
    fitted.fit(tf.data.Dataset.from_tensor_slices(batches).batch(4), verbose=0)
    for a, b in zip(by_hand.get_weights(), fitted.get_weights(), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)


def test_a_resumed_trainer_goes_on_as_if_it_had_never_stopped(tmp_path):
    saved, resumed = addons_trainer(LAMB), addons_trainer(LAMB, seed=1)
    for index in range(3):
        saved.make_step(one(BATCHES, index))
    folder = Checkpoints(tmp_path)
    folder.save(saved, 3)
    assert folder.restore(resumed) == 3
    for trainer in (saved, resumed):
        for index in range(3, 6):
            trainer.make_step(one(BATCHES, index))
    states = [trainer_state(trainer) for trainer in (saved, resumed)]
    # A count of steps, and two moments of each weight.
    kept = [name for name in states[0] if name.startswith("optimizer")]
    assert len(kept) == 3 + 2 * len(saved.trainable_weights)
    for name, variable in states[0].items():
        np.testing.assert_array_equal(read(variable), read(states[1][name]), err_msg=name)


def test_the_rate_is_that_of_the_schedule(tmp_path):
    trainer = addons_trainer(LAMB)
    parts = ("grid", "learned", "margin_head")
    assert trainer.learning_rates == pytest.approx(dict.fromkeys(parts, 0.01))
    trainer.make_step(one(BATCHES, 0))
    assert trainer.learning_rates == pytest.approx(dict.fromkeys(parts, 0.02))
    broken = {**BATCHES, "input": np.full_like(BATCHES["input"], np.nan)}
    rates = r"in steps 1 to 2, learning rates grid 0\.02, learned 0\.02, .*;"
    with pytest.raises(XcosError, match=rates):
        checkpoints = Checkpoints(tmp_path)
        train_loop(addons_trainer(LAMB), dataset_of(broken), checkpoints, 2, 4, Cadence(2))
    plain = addons_trainer(LAMB, rate=0.3)
    assert plain.learning_rates == pytest.approx(dict.fromkeys(parts, 0.3))


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Addons>LAM", "there is no optimizer 'Addons>LAM'; did you mean 'Addons>LAMB'?"),
        ("Addons>Lookahead", "there is no optimizer 'Addons>Lookahead'"),
        ("LAMB", "there is no optimizer 'LAMB'"),
    ],
)
def test_what_is_not_there_is_named(name, message):
    with pytest.raises(XcosError, match=message):
        build_optimizer({"name": name}, 0.1)


TWO_REPLICAS = """
import numpy as np
import tensorflow as tf

cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from tests.training.drive import dataset_of
from tests.training.test_addons import BATCHES, LAMB, addons_trainer
from xcos_tf.training.checkpoints import trainer_state
from xcos_tf.training.optimizers import read

states = []
for strategy in (tf.distribute.get_strategy(), tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])):
    with strategy.scope():
        trainer = addons_trainer(LAMB)
    replicas = strategy.num_replicas_in_sync
    dataset = dataset_of(BATCHES)(0, 3, range(4), 4 // replicas)
    batches = iter(strategy.distribute_datasets_from_function(lambda context: dataset))
    step = tf.function(lambda batch: strategy.run(trainer.make_step, args=(batch,)))
    for _ in range(3):
        step(next(batches))
    states.append({name: read(variable) for name, variable in trainer_state(trainer).items()})
for name, value in states[0].items():
    np.testing.assert_allclose(states[1][name], value, atol=1e-5, err_msg=name)
print("compared", len(states[0]))
"""


def test_two_replicas_make_the_same_steps():
    run = subprocess.run([sys.executable, "-c", TWO_REPLICAS], capture_output=True, text=True)
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("compared ")
