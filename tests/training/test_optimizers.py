import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from tests.training.small import one, small_batches, small_trainer
from xcos_tf.errors import XcosError
from xcos_tf.training.model import Part
from xcos_tf.training.optimizers import build_optimizer, try_optimizer


@pytest.mark.parametrize(
    ("section", "kind"),
    [
        ({"name": "SGD", "momentum": 0.9}, keras.optimizers.SGD),
        ({"name": "Adam", "amsgrad": True}, keras.optimizers.Adam),
        ({"name": "AdamW", "weight_decay": 4.0e-5}, keras.optimizers.AdamW),
    ],
)
def test_optimizers_by_name(section, kind):
    built = build_optimizer(section, 0.25)
    assert type(built.optimizer) is kind and built.l2 == 0.0
    assert float(built.optimizer.learning_rate) == 0.25
    config = built.optimizer.get_config()
    assert all(config[key] == section[key] for key in section if key != "name")


def test_sgd_with_l2_is_that_of_pytorch():
    trainer = small_trainer()
    built = build_optimizer({"name": "SGD", "momentum": 0.9, "l2": 0.05}, 0.1)
    head = trainer.margin_head
    trainer.compile([Part(head, built.optimizer, built.l2)], jit_compile=False)
    expected, velocity = np.asarray(head.kernel, np.float64), 0.0
    batches = small_batches(3)
    for index in range(3):
        batch = one(batches, index)
        with tf.GradientTape() as tape:
            loss = trainer.losses_of(batch)["total"]
        gradient = tape.gradient(loss, head.trainable_variables)[0].numpy()
        # torch.optim.SGD: g += λ·w; v = μ·v + g; w −= rate·v
        velocity = 0.9 * velocity + gradient + 0.05 * expected
        expected = expected - 0.1 * velocity
        trainer.make_step(batch)
        np.testing.assert_allclose(np.asarray(head.kernel), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"name": "Adma"}, "there is no optimizer 'Adma'; did you mean 'Adam'?"),
        ({"name": "Optimizer"}, "there is no optimizer 'Optimizer'"),
        ({}, "there is no optimizer 'None'; known: .*SGD"),
        ({"name": "SGD", "momentun": 0.9}, "SGD takes no 'momentun'; did you mean 'momentum'?"),
        ({"name": "SGD", "clipnorm": 1.0}, "SGD takes no 'clipnorm'"),
        ({"name": "SGD", "momentum": 7}, "SGD refuses"),
    ],
)
def test_what_is_wrong_is_named(section, message):
    with pytest.raises(XcosError, match=message):
        build_optimizer(section, 0.1)


@pytest.mark.parametrize(
    "argument",
    [
        {"ema_momentum": "x", "use_ema": True},
        {"weight_decay": "x"},
        {"weight_decay": []},
        {"weight_decay": float("nan")},
        {"weight_decay": 1e38},
        {"epsilon": {}},
        {"beta_1": "x"},
    ],
    ids=str,
)
def test_what_cannot_train_is_told_before_it_does(argument):
    with pytest.raises(XcosError, match=r"AdamW (refuses|cannot train with) \{.*; give other"):
        try_optimizer({"name": "AdamW", **argument}, 0.1)


@pytest.mark.parametrize("name", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Nadam", "Lion"])
def test_what_can_train_is_let_through(name):
    try_optimizer({"name": name, "l2": 0.1}, 0.1)


def test_addons_that_are_not_installed_are_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_addons", None)
    with pytest.raises(XcosError, match=r"Addons>LAMB needs another .*xcos_tf\[addons\]"):
        build_optimizer({"name": "Addons>LAMB"}, 0.1)
