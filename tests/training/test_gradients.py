import numpy as np
import pytest
import tensorflow as tf

from tests.training.small import one, small_batches, small_trainer, weights_of
from xcos_tf.training.checkpoints import trainer_state
from xcos_tf.training.gradients import FIRST, RISE_AFTER, LossScale, accumulated
from xcos_tf.training.optimizers import optimizer_variables

BATCHES = small_batches(3)


def test_a_scaled_loss_makes_the_same_steps():
    plain, scaled = small_trainer(), small_trainer(scale_loss=True)
    for index in range(3):
        for trainer in (plain, scaled):
            trainer.make_step(one(BATCHES, index))
    for a, b in zip(weights_of(plain), weights_of(scaled), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert "loss_scale" in trainer_state(scaled) and "loss_scale" not in trainer_state(plain)


def test_it_halves_on_overflow_and_rises_after_a_while():
    scale = LossScale()
    gradient = tf.constant([FIRST, 2 * FIRST])
    (unscaled,), finite = scale.unscale([gradient])
    np.testing.assert_allclose(unscaled, [1, 2])
    assert finite
    np.testing.assert_allclose(scale.state, [FIRST, 1])
    assert not scale.unscale([tf.constant([np.inf, 1.0]), gradient])[1]
    np.testing.assert_allclose(scale.state, [FIRST / 2, 0])
    scale.state.assign([FIRST / 2, RISE_AFTER - 1])
    scale.unscale([gradient])
    np.testing.assert_allclose(scale.state, [FIRST, 0])
    weight, batch = tf.Variable(1.0), {"x": tf.constant([3.0])}
    losses_of = lambda part: {"total": part["x"][0] * weight}  # noqa: E731
    _, (gradient,) = accumulated(losses_of, batch, [weight], 1, scale)
    assert float(gradient) == 3 * FIRST


@pytest.mark.parametrize(("sample", "eager"), [(None, True), (8, False)])
def test_a_step_that_overflows_is_skipped_whole(sample, eager):
    trainer = small_trainer(scale_loss=True, l2=0.1, sample=sample)
    step = trainer.make_step if eager else tf.function(trainer.make_step)
    step(one(BATCHES, 0))  # so that there is momentum
    trainer.loss_scale.state.assign([np.inf, 5])

    def state():
        optimizers = [
            v for o in trainer.optimizers_by_part.values() for v in optimizer_variables(o)
        ]
        return [np.array(v) for v in (*trainer.trainable_weights, *optimizers)]

    before = state()
    step(one(BATCHES, 1))
    rows = {tuple(trainer.sampled.rows.shape)} if sample else set()  # of this step's sample
    for a, b in zip(before, state(), strict=True):
        if a.shape not in rows:
            np.testing.assert_array_equal(a, b)
    assert float(trainer.loss_scale.state[1]) == 0
    trainer.loss_scale.state.assign([1.0, 0])
    step(one(BATCHES, 1))
    assert all(np.abs(a - b).max() > 0 for a, b in zip(before, state(), strict=True) if a.size > 1)
