import numpy as np
import tensorflow as tf

from xcos_tf.models.partial_fc import sample_classes


def draw(labels, classes, sample, seed=0):
    kept, place = sample_classes(
        tf.constant(labels), classes, sample, tf.constant([seed, 1], tf.int32)
    )
    return kept.numpy(), place.numpy()


def test_the_batch_is_always_in_the_sample():
    for seed in range(20):
        kept, place = draw([7, 93, 7, 40], 100, 10, seed)
        assert len(np.unique(kept)) == 10 and (np.diff(kept) > 0).all()
        assert {7, 93, 40} <= set(kept)
        np.testing.assert_array_equal(place[kept], np.arange(10))
        assert (place == -1).sum() == 90


def test_the_rest_is_drawn_evenly_and_by_seed():
    counts = np.zeros(50)
    for seed in range(400):
        counts[draw([0], 50, 11, seed)[0]] += 1
    # 400 draws of 10 out of 49: 81.6 each, with a standard deviation of 8.1.
    assert counts[0] == 400 and np.abs(counts[1:] - 81.6).max() < 35
    first, again, other = (draw([3], 50, 9, seed)[0] for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_a_sample_of_everything_is_everything():
    kept, place = draw([2, 4], 6, 6)
    np.testing.assert_array_equal(kept, np.arange(6))
    np.testing.assert_array_equal(place, np.arange(6))
