import numpy as np
import tensorflow as tf

from tests.training.small import one, small_batches, small_trainer, weights_of
from xcos_tf.training.checkpoints import trainer_state
from xcos_tf.training.loss_scale import FIRST, RISE_AFTER, LossScale

BATCHES = small_batches(3)


def test_a_scaled_loss_makes_the_same_steps():
    plain, scaled = small_trainer(), small_trainer(scale_loss=True)
    for index in range(3):
        for trainer in (plain, scaled):
            trainer.train_step(one(BATCHES, index))
    for a, b in zip(weights_of(plain), weights_of(scaled), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert "loss_scale" in trainer_state(scaled) and "loss_scale" not in trainer_state(plain)


def test_it_halves_on_overflow_and_rises_after_a_while():
    scale = LossScale()
    gradient = tf.constant([FIRST, 2 * FIRST])
    np.testing.assert_allclose(scale.unscale([gradient])[0], [1, 2])
    np.testing.assert_allclose(scale.state, [FIRST, 1])
    np.testing.assert_allclose(scale.unscale([tf.constant([np.inf, 1.0]), gradient])[1], [0, 0])
    np.testing.assert_allclose(scale.state, [FIRST / 2, 0])
    scale.state.assign([FIRST / 2, RISE_AFTER - 1])
    scale.unscale([gradient])
    np.testing.assert_allclose(scale.state, [FIRST, 0])
    assert float(scale.scale(tf.constant(3.0))) == 3 * FIRST


def test_an_overflow_leaves_the_weights_as_they_are_but_for_momentum():
    trainer = small_trainer(scale_loss=True)
    before = weights_of(trainer)
    trainer.loss_scale.state.assign([np.inf, 0])
    trainer.train_step(one(BATCHES, 0))
    trained = {id(v) for v in trainer.trainable_weights}
    for weight, old in zip(trainer.weights, before, strict=True):
        if id(weight) in trained:
            np.testing.assert_array_equal(np.asarray(weight), old)
