import numpy as np
import pytest

from xcos_tf.evaluation.cover import draw_cover
from xcos_tf.evaluation.pairs import PairSet


@pytest.fixture
def many(random):
    """1,000 pairs of 40 photos."""
    first = random.integers(0, 40, 1000)
    second = (first + random.integers(1, 40, 1000)) % 40
    photos = [f"{i}.png" for i in range(40)]
    return PairSet(photos, first, second, random.random(1000) < 0.5, np.arange(1000) % 10)


def test_one_face_of_each_pair_is_covered(many):
    cover = draw_cover(many, 3)
    plain_photo = np.concatenate([np.arange(40), cover.photos])  # of which each end is a face
    np.testing.assert_array_equal(plain_photo[cover.first], many.first)
    np.testing.assert_array_equal(plain_photo[cover.second], many.second)
    is_covered = np.stack([cover.first, cover.second]) >= 40
    np.testing.assert_array_equal(is_covered.sum(axis=0), 1)
    assert 400 < is_covered[0].sum() < 600
    np.testing.assert_array_equal(
        np.unique(np.where(is_covered, [cover.first, cover.second], 40)) - 40,
        np.arange(len(cover.photos)),
    )


def test_the_seed_says_it_all(many):
    one, same, other = (draw_cover(many, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.first, same.first)
    assert ((one.first >= 40) != (other.first >= 40)).any()
