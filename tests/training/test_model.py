import math
from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from tests.training.small import one, small_batches, small_trainer, weights_of
from xcos_tf.models.comparison import comparison
from xcos_tf.models.margins import CosFaceHead
from xcos_tf.models.partial_fc import SampledRows, sample_classes
from xcos_tf.training.checkpoints import trainer_state
from xcos_tf.training.model import Trainer
from xcos_tf.training.optimizers import apply_summed, create_variables, optimizer_variables

BATCHES = small_batches(12)


def step(trainer, index=0):
    """Make a step, eagerly: to trace it takes as long as ten to fifteen such steps."""
    losses = trainer.make_step(one(BATCHES, index))
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
    head.kernel.assign([[1, 0, 0, 0], [0, 0, 0, 1]])
    comparisons = {"patched": comparison((1, 2, 2), "patched")}
    weights = {"identification": 10.0, "patched": 100.0}
    features = tf.keras.Model(grid, tf.keras.layers.Activation("linear")(grid))
    network = SimpleNamespace(features=features, comparisons=comparisons)
    trainer = Trainer(network, head, weights, **options)
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
    traced = tf.function(trainer.make_step)
    first, *_, last = (traced(one(BATCHES, 0))["total"] for _ in range(21))
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


def test_people_who_are_not_in_the_sample_stay_as_they_are():
    trainer = small_trainer(sample=7, l2=0.1)
    kernel, (table, _) = trainer.margin_head.kernel, trainer.sampled._tables()[1]
    assert table.shape == kernel.shape  # their momentum
    seen, before = np.zeros(10, int), [np.array(kernel), np.array(table)]
    for index in range(4):
        batch = one(BATCHES, index)
        kept = sample_classes(tf.reshape(batch["label"], [-1]), 10, 7, tf.constant([0, index]))[0]
        step(trainer, index)
        after = [np.array(kernel), np.array(table)]
        for old, new in zip(before, after, strict=True):
            changed = np.flatnonzero((old != new).any(axis=1))
            np.testing.assert_array_equal(changed, kept)
        seen[kept], before = seen[kept] + 1, after
    assert set(seen[:6]) == {4} and 0 < seen[6:].max() < 4  # the batches show six people


def test_whom_a_sample_shows_now_and_then_keeps_their_momentum():
    """Two samples in turn make the steps that each makes alone."""
    table = tf.Variable(np.arange(12, dtype=np.float32).reshape(6, 2))
    sampled = SampledRows(table, 3)
    optimizer = tf.keras.optimizers.SGD(0.1, momentum=0.9)
    create_variables(optimizer, [sampled.rows])
    sampled.follow(optimizer_variables(optimizer))
    expected, velocity = np.array(table), np.zeros((6, 2))
    for kept in ([0, 2, 4], [1, 3, 5], [0, 2, 4], [0, 1, 2]):
        sampled.take(tf.constant(kept))
        np.testing.assert_allclose(sampled.rows, expected[kept], atol=1e-6)
        apply_summed(optimizer, [tf.ones((3, 2))], [sampled.rows])
        sampled.put(tf.constant(kept))
        velocity[kept] = 0.9 * velocity[kept] - 0.1
        expected[kept] += velocity[kept]
        np.testing.assert_allclose(table, expected, atol=1e-6)


def test_gradients_and_losses_are_added_up_over_replicas_once(monkeypatch):
    reduced, all_reduce = [], tf.distribute.ReplicaContext.all_reduce

    def count(context, op, value, *args, **kwargs):
        reduced.extend(tuple(tensor.shape) for tensor in tf.nest.flatten(value))
        return all_reduce(context, op, value, *args, **kwargs)

    trainer = small_trainer(clip_norm=1.0, scale_loss=True, frozen_batch_norm=True)
    monkeypatch.setattr(tf.distribute.ReplicaContext, "all_reduce", count)
    losses = step(trainer)
    trained = [tuple(weight.shape) for weight in trainer.trainable_weights]
    assert sorted(reduced) == sorted(trained + [()] * len(losses))


def test_the_teacher_can_be_asked_instead():
    known = small_trainer()
    embed = tf.keras.Sequential([tf.keras.layers.Flatten(), tf.keras.layers.Dense(6)])
    asking = small_trainer(teacher=embed)
    images = BATCHES["input"][0]
    batch = one(BATCHES, 0)
    embeddings = embed(images.reshape(-1, 8, 8, 3)).numpy()
    embeddings /= np.linalg.norm(embeddings, axis=-1, keepdims=True)
    known_losses = known.make_step({**batch, "teacher": embeddings.reshape(4, 6, 6)})
    del batch["teacher"]
    asked = asking.make_step(batch)
    for name in known_losses:
        assert float(asked[name]) == pytest.approx(float(known_losses[name]), rel=1e-4)
    teachers = {id(variable) for variable in embed.variables}
    assert teachers and teachers.isdisjoint(map(id, trainer_state(asking).values()))


def test_a_loss_without_its_comparison_is_refused():
    trainer = small_trainer()
    with pytest.raises(ValueError, match=r"'learned'\).*Received: weights={'lerned': 1.0}"):
        Trainer(trainer.network, trainer.margin_head, {"lerned": 1.0})


def test_weight_decay_of_the_paper_is_added_to_the_gradient():
    plain, decayed = small_trainer(), small_trainer(l2=0.3)
    before = np.asarray(plain.margin_head.kernel)
    step(plain), step(decayed)
    after = [np.asarray(trainer.margin_head.kernel) for trainer in (plain, decayed)]
    # The first rate of the margin head is 0.05.
    np.testing.assert_allclose(after[0] - after[1], 0.05 * 0.3 * before, atol=1e-6)
