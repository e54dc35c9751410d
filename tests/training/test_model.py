import functools

import numpy as np
import pytest
import tensorflow as tf

from tests.training.small import WEIGHTS, one, small_batches, small_trainer, weights_of
from xcos_tf.training.checkpoints import trainer_state

BATCHES = small_batches(12)


@functools.cache
def traced(trainer):
    return tf.function(trainer.train_step)


def step(trainer, index=0):
    losses = traced(trainer)(one(BATCHES, index))
    return {name: float(value) for name, value in losses.items()}


def cosines(a, b):
    return (a * b).sum(-1) / np.linalg.norm(a, axis=-1) / np.linalg.norm(b, axis=-1)


def test_losses_are_those_of_the_paper():
    trainer = small_trainer()
    batch = {name: value[0] for name, value in BATCHES.items()}
    expected = {"patched": [], "identification": []}
    for group in range(4):
        grid = trainer.features(batch["input"][group]).numpy()
        flat = (grid / np.linalg.norm(grid, axis=-1, keepdims=True)).reshape(len(grid), -1)
        kernel = np.asarray(trainer.margin_head.kernel)
        logits = 8 * (cosines(flat[:, None], kernel.T) - 0.35 * np.eye(10)[batch["label"][group]])
        softmax = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
        right = softmax[np.arange(6), batch["label"][group]]
        expected["identification"].append(-np.log(right).mean())
        first, second = batch["first"][group], batch["second"][group]
        xcos = cosines(grid[first], grid[second]).mean((1, 2))
        squared = xcos - cosines(batch["teacher"][group][first], batch["teacher"][group][second])
        squared **= 2
        expected["patched"].append(0.5 * squared[:2].mean() + 0.5 * squared[2:].mean())
    losses = step(trainer)
    for name, values in expected.items():
        assert losses[name] == pytest.approx(np.mean(values), rel=1e-4), name
    total = sum(weight * losses[name] for name, weight in WEIGHTS.items())
    assert losses["total"] == pytest.approx(total, rel=1e-5)


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
    from xcos_tf.training.model import Trainer

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
