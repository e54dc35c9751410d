import functools
import math

import numpy as np
import pytest
import tensorflow as tf

from tests.training.small import one, small_batches, small_trainer, weights_of
from xcos_tf.models.comparison import comparison
from xcos_tf.models.margins import CosFaceHead
from xcos_tf.training.checkpoints import trainer_state
from xcos_tf.training.model import Trainer

BATCHES = small_batches(12)


@functools.cache
def traced(trainer):
    return tf.function(trainer.train_step)


def step(trainer, index=0):
    losses = traced(trainer)(one(BATCHES, index))
    return {name: float(value) for name, value in losses.items()}


# Grids of one row of two cells; flattened, each is of length 5. Faces 0 and 1 are of one person.
GRIDS = [[[[3, 0], [0, 4]]], [[[3, 0], [4, 0]]], [[[0, 3], [0, 4]]]]
# Its cosines are 0.8, 0.1 and -0.2.
TEACHER = [[1, 0, 0], [0.8, 0.6, 0], [0.1, -0.28 / 0.6, 0.8788]]


def worked_losses(**options):
    """Return the losses of these grids, taken as they are, with U and two classes."""
    grid = tf.keras.Input((1, 2, 2))
    head = CosFaceHead(2, margin=0.1, scale=2.0)
    head.build((None, 4))
    head.kernel.assign([[1, 0], [0, 0], [0, 0], [0, 1]])
    comparisons = {"patched": comparison((1, 2, 2), "patched")}
    weights = {"identification": 10.0, "patched": 100.0}
    features = tf.keras.Model(grid, tf.keras.layers.Activation("linear")(grid))
    trainer = Trainer(features, head, weights, comparisons, **options)
    batch = {
        "input": tf.constant([GRIDS], tf.float32),
        "label": tf.constant([[0, 0, 1]]),
        "first": tf.constant([[0, 0, 1]]),
        "second": tf.constant([[1, 2, 2]]),
        "same": tf.constant([[1, 0, 0]]),
        "teacher": tf.constant([TEACHER], tf.float32),
    }
    return {name: float(value) for name, value in trainer.losses_of(batch).items()}


def test_losses_are_those_of_the_paper():
    losses = worked_losses()
    # Cosines with the two classes are 0.6 and 0.8, 0.6 and 0, 0 and 0.8; less the margin of 0.1
    # for one's own, times 2, the logits are 1 and 1.6, 1 and 0, 0 and 1.4.
    each = math.log(1 + math.exp(0.6)), math.log(1 + math.exp(-1)), math.log(1 + math.exp(-1.4))
    assert losses["identification"] == pytest.approx(sum(each) / 3, abs=1e-6)
    # xCos is 0.5, 0.5 and 0, so that its squared differences are 0.09, 0.16 and 0.04.
    assert losses["patched"] == pytest.approx((0.09 + 0.16 + 0.04) / 3, abs=1e-6)
    total = 10 * losses["identification"] + 100 * losses["patched"]
    assert losses["total"] == pytest.approx(total, rel=1e-6)


def test_deviations_from_the_paper_are_switches():
    losses = worked_losses(feature="cells", balance="genuine")
    # Each of the two cells has half the square: cosines are √½ or 0.
    logit = 2 * (math.sqrt(0.5) - 0.1)
    each = math.log(1 + math.exp(0.2)), math.log(1 + math.exp(-logit))
    assert losses["identification"] == pytest.approx((each[0] + 2 * each[1]) / 3, abs=1e-6)
    assert losses["patched"] == pytest.approx(0.09 / 2 + (0.16 + 0.04) / 2 / 2, abs=1e-6)


def test_steps_lower_the_loss():
    trainer = small_trainer()
    first = step(trainer)["total"]
    for _ in range(20):
        last = step(trainer)["total"]
    assert last < 0.7 * first


@pytest.mark.parametrize("accumulate", [2, 4])
def test_micro_batches_make_the_same_step(accumulate):
    # Batch normalisation would see each micro-batch by itself.
    whole = small_trainer(frozen_batch_norm=True)
    parts = small_trainer(frozen_batch_norm=True, accumulate=accumulate)
    for index in range(3):
        assert step(whole, index) == pytest.approx(step(parts, index), rel=1e-4)
    for a, b in zip(weights_of(whole), weights_of(parts), strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)


def test_gradients_are_clipped_together():
    free, clipped = small_trainer(), small_trainer(clip_norm=1e-3)
    before = [np.asarray(weight) for weight in free.trainable_weights]
    step(free), step(clipped)
    moved = [
        np.sqrt(
            sum(
                ((np.asarray(a) - b) ** 2).sum()
                for a, b in zip(trainer.trainable_weights, before, strict=True)
            )
        )
        for trainer in (free, clipped)
    ]
    # The parts' first rates are 0.025, 0.01 and 0.05.
    assert moved[1] <= 0.05 * 1e-3 * 1.01 < moved[0] / 10


def test_a_sample_of_all_people_is_the_full_softmax():
    full, sampled = small_trainer(), small_trainer(sample=10)
    assert step(full) == pytest.approx(step(sampled), rel=1e-5)
    few = small_trainer(sample=8, seed=0)
    assert step(few)["identification"] < step(small_trainer())["identification"]


def test_the_teacher_can_be_asked_instead():
    known = small_trainer()
    embed = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(6)])
    asking = small_trainer(teacher=embed)
    images = BATCHES["input"][0]
    batch = one(BATCHES, 0)
    embeddings = embed(images.reshape(-1, 8, 8, 3)).numpy()
    embeddings /= np.linalg.norm(embeddings, axis=-1, keepdims=True)
    known_losses = known.train_step({**batch, "teacher": embeddings.reshape(4, 6, 6)})
    del batch["teacher"]
    asked = asking.train_step(batch)
    for name in known_losses:
        assert float(asked[name]) == pytest.approx(float(known_losses[name]), rel=1e-4)
    teachers = {id(variable) for variable in embed.variables}
    assert teachers and teachers.isdisjoint(map(id, trainer_state(asking).values()))


def test_a_loss_without_its_comparison_is_refused():
    trainer = small_trainer()
    with pytest.raises(ValueError, match="comparisons"):
        Trainer(trainer.features, trainer.margin_head, {"learned": 1.0})


def test_weight_decay_of_the_paper_is_added_to_the_gradient():
    plain, decayed = small_trainer(), small_trainer(l2=0.3)
    before = np.asarray(plain.margin_head.kernel)
    step(plain), step(decayed)
    after = [np.asarray(trainer.margin_head.kernel) for trainer in (plain, decayed)]
    # The first rate of the margin head is 0.05.
    np.testing.assert_allclose(after[0] - after[1], 0.05 * 0.3 * before, atol=1e-6)
