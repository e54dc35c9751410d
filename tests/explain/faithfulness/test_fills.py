import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.explain.faithfulness.fills import FILLS, NOISE, removed

WEIGHTS = np.array([[1, 2, 1], [2, 0, 2], [1, 2, 1]]) / 12


@pytest.fixture
def face(random):
    return random.integers(0, 256, (112, 112, 3), np.uint8)


@pytest.fixture
def masks(random):
    """Nothing, a square, a third of all pixels here and there, and everything."""
    square = np.zeros((112, 112), bool)
    square[30:60, 10:50] = True
    return np.stack([square & False, square, random.random((112, 112)) < 1 / 3, square | True])


@pytest.mark.parametrize("fill", FILLS)
def test_what_is_not_removed_stays(fill, face, masks):
    found = removed(face, masks, fill)
    assert found.shape == (4, 112, 112, 3) and found.dtype == np.uint8
    for copy, mask in zip(found, masks, strict=True):
        np.testing.assert_array_equal(copy[~mask], face[~mask])
        assert not mask.any() or (copy[mask] != face[mask]).mean() > 0.9


def test_black_mean_and_blur(face, masks):
    black, mean, blur = (removed(face, masks[-1:], x)[0] for x in ("black", "mean", "blur"))
    assert not black.any()
    np.testing.assert_allclose(mean, np.broadcast_to(face.mean(axis=(0, 1)), face.shape), atol=0.5)
    assert blur.mean() == pytest.approx(face.mean(), abs=2)
    assert blur.std() < face.std() / 10


def test_imputed_pixels_are_the_means_of_their_neighbours(face, masks, monkeypatch):
    monkeypatch.setattr("xcos_tf.explain.faithfulness.fills.NOISE", 0)
    # Without noise and within the face, each is the mean of the eight, but for rounding to uint8.
    for copy, mask in zip(removed(face, masks[1:3], "imputed"), masks[1:3], strict=True):
        values = copy.astype(float)
        expected = sum(
            WEIGHTS[row, column] * values[row : 110 + row, column : 110 + column]
            for row in range(3)
            for column in range(3)
        )
        inside = mask[1:-1, 1:-1]
        np.testing.assert_allclose(values[1:-1, 1:-1][inside], expected[inside], atol=1.01)


def test_imputation_at_an_edge_weighs_the_neighbours_that_are_there(monkeypatch):
    monkeypatch.setattr("xcos_tf.explain.faithfulness.fills.NOISE", 0)
    face = np.zeros((2, 2, 3), np.uint8)
    face[0, 1], face[1, 0], face[1, 1] = 60, 120, 240
    mask = np.array([[[True, False], [False, False]]])
    # Two neighbours at a side and one at a corner, of half the weight: (2·60 + 2·120 + 240) / 5.
    assert removed(face, mask, "imputed")[0, 0, 0].tolist() == [120, 120, 120]


def test_imputed_pixels_have_a_little_noise_that_the_seed_chooses(masks):
    grey = np.full((112, 112, 3), 128, np.uint8)
    square = masks[1]
    first, again, other = (removed(grey, masks[1:2], "imputed", seed)[0] for seed in (1, 1, 2))
    assert first[square].std() == pytest.approx(NOISE, rel=0.1)
    assert first[square].mean() == pytest.approx(128, abs=0.2)
    np.testing.assert_array_equal(first, again)
    assert (first != other).any()


def test_where_nothing_is_left_imputation_is_the_mean_colour(face, masks):
    [found] = removed(face, masks[-1:], "imputed")
    np.testing.assert_allclose(found.mean(axis=(0, 1)), face.mean(axis=(0, 1)), atol=1)
    assert found.std() < 2 * NOISE


def test_other_fills_are_refused(face, masks):
    with pytest.raises(XcosError, match="no fill 'pink'; use one of imputed, mean, blur, black"):
        removed(face, masks, "pink")
