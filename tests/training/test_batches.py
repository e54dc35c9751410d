import numpy as np
import pytest

from xcos_tf.training.batches import BatchSampler


@pytest.fixture
def sampler():
    labels = np.repeat(np.arange(12), [2, 5, 9] * 4).astype(np.int32)
    return BatchSampler(labels, variants=3, people=6, faces=3, pairs=60, seed=4)


def test_a_step_always_draws_the_same(sampler):
    for name, value in vars(sampler.draw(7)).items():
        np.testing.assert_array_equal(value, getattr(sampler.draw(7), name))
    assert (sampler.draw(7).images != sampler.draw(8).images).any()


def test_batch_is_made_of_people_and_pairs(sampler):
    batch = sampler.draw(0)
    assert len(batch.images) == 18 and len(np.unique(batch.labels)) == 6
    assert len(batch.first) == len(batch.second) == len(batch.same) == 60
    np.testing.assert_array_equal(
        batch.same, batch.labels[batch.first] == batch.labels[batch.second]
    )
    assert batch.variants.max() < 3
    assert 12 <= batch.same.sum() <= 18


def test_a_photo_is_never_paired_with_itself(sampler):
    for step in range(20):
        batch = sampler.draw(step)
        assert (batch.images[batch.first] != batch.images[batch.second]).all()
