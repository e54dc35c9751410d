import numpy as np
import pytest
from scipy import stats

from tests.explain.toys import OneCellVerifier, noise
from xcos_tf.errors import XcosError
from xcos_tf.explain.faithfulness.deletion import deletion_curve, insertion_curve, removal_order

CURVES = (deletion_curve, insertion_curve)
LEFT, RIGHT = [[1.0, 0.0]], [[0.0, 1.0]]


class LeftPixel:
    """Looks at the left of two pixels; the score is the product of both faces' red there."""

    def embed(self, faces):
        return faces[:, 0, 0, :1] / np.float32(255)

    def compare_pairs(self, features_a, features_b):
        return (features_a * features_b)[:, 0]


class LeftPixelApart(LeftPixel):
    """The darker the left pixel, the higher the score."""

    def compare_pairs(self, features_a, features_b):
        return 1 - super().compare_pairs(features_a, features_b)


def two_pixels(maps, same, curve, verifier, **rest):
    """Return a curve of pairs of two white pixels each."""
    white = np.full((len(same), 1, 2, 3), 255, np.uint8)
    maps = np.array(maps)
    return curve(verifier, (white, white), (maps, maps), same, 0.5, "black", steps=2, **rest)


@pytest.mark.parametrize(
    ("curve", "values", "accuracy", "area"),
    [
        (deletion_curve, LEFT, [1, 0, 0], 0.25),
        (deletion_curve, RIGHT, [1, 1, 0], 0.75),
        (insertion_curve, LEFT, [0, 1, 1], 0.75),
        (insertion_curve, RIGHT, [0, 0, 1], 0.25),
    ],
)
def test_curves_of_two_pixels_worked_by_hand(curve, values, accuracy, area):
    found = two_pixels([values], [True], curve, LeftPixel())
    np.testing.assert_allclose(found.shares, [0, 0.5, 1])
    np.testing.assert_allclose(found.accuracy, accuracy)
    assert found.area.value == pytest.approx(area)
    np.testing.assert_allclose(found.pair_areas, [area])


@pytest.mark.parametrize(("similarity", "area"), [([[-1.0, 0.0]], 0.25), ([[0.0, -1.0]], 0.75)])
def test_a_negated_map_removes_what_makes_an_impostor_pair_differ_first(similarity, area):
    dissimilarity = -np.array([similarity])
    found = two_pixels(dissimilarity, [False], deletion_curve, LeftPixelApart())
    assert found.area.value == pytest.approx(area)


def test_each_face_loses_the_pixels_of_its_own_map():
    white = np.full((1, 1, 2, 3), 255, np.uint8)

    class RightOfB(LeftPixel):
        def embed(self, faces):
            return faces[:, 0, :, 0] / np.float32(255)

        def compare_pairs(self, features_a, features_b):
            return features_b[:, 1]

    pair = (white, white)
    for maps, area in (((LEFT, RIGHT), 0.25), ((RIGHT, LEFT), 0.75)):
        maps = tuple(np.array([x]) for x in maps)
        found = deletion_curve(RightOfB(), pair, maps, [True], 0.5, "black", steps=2)
        assert found.area.value == pytest.approx(area)


def test_a_curve_is_the_mean_over_pairs_and_its_area_has_an_interval():
    maps = [LEFT] * 6 + [RIGHT] * 14
    found = two_pixels(maps, [True] * 20, deletion_curve, LeftPixel(), seed=4)
    np.testing.assert_allclose(found.accuracy, [1, 0.7, 0])
    assert found.area.value == pytest.approx(0.6)
    reference = stats.bootstrap(
        (found.pair_areas,), np.mean, method="percentile", n_resamples=5000, random_state=1
    ).confidence_interval
    assert found.area.low == pytest.approx(reference.low, abs=0.02)
    assert found.area.high == pytest.approx(reference.high, abs=0.02)
    again = two_pixels(maps, [True] * 20, deletion_curve, LeftPixel(), seed=4)
    assert again.area == found.area


def test_a_score_at_the_threshold_is_accepted():
    white = np.full((1, 1, 2, 3), 255, np.uint8)
    maps = (np.array([LEFT]),) * 2
    found = deletion_curve(LeftPixel(), (white, white), maps, [True], 1.0, "black", steps=1)
    np.testing.assert_allclose(found.accuracy, [1, 0])


@pytest.mark.parametrize("filling", ["black", "blur"])
def test_a_wrong_map_is_worse_on_both_curves(filling, random):
    verifier = OneCellVerifier()
    faces = noise(random, 6)
    # Genuine pairs are the same noise, and impostor pairs are of two; at 0.9 they part.
    genuine, impostors = (faces[:3], faces[:3]), (faces[:3], faces[3:])
    right = np.repeat(verifier.right_map[np.newaxis], 3, axis=0)

    def areas(curve, pair, flags):
        return [
            curve(verifier, pair, (values, values), flags, 0.9, filling).area.value
            for values in (right, -right)
        ]

    # What removal does to a genuine pair under blur, which makes both alike, is nothing.
    if filling == "black":
        deleted, inserted = (areas(x, genuine, [True] * 3) for x in CURVES)
    else:
        deleted, inserted = (areas(x, impostors, [False] * 3) for x in CURVES)
    assert deleted[0] < deleted[1] - 0.5
    assert inserted[0] > inserted[1] + 0.5


def test_a_coarse_map_removes_its_cell_first():
    coarse = np.zeros((7, 7))
    coarse[2, 4] = 1
    order = removal_order(coarse, (112, 112))
    first = np.argwhere(order < 100)
    np.testing.assert_allclose(first.mean(axis=0), [2.5 * 16 - 0.5, 4.5 * 16 - 0.5], atol=0.6)


def test_pixels_of_equal_value_go_in_no_pattern():
    order = removal_order(np.zeros((7, 7)), (112, 112), seed=1)
    assert sorted(order.ravel()) == list(range(112**2))
    rows = np.argwhere(order < 1000)[:, 0]
    assert rows.mean() == pytest.approx(55.5, abs=4)
    np.testing.assert_array_equal(order, removal_order(np.ones((1, 1)), (112, 112), seed=1))


def test_numbers_that_differ_are_refused():
    face = np.zeros((2, 1, 2, 3), np.uint8)
    maps = np.zeros((2, 1, 2))
    with pytest.raises(ValueError, match=r"\[2, 2, 2, 2, 1\]"):
        deletion_curve(LeftPixel(), (face, face), (maps, maps), [True], 0.5, "black")
    none = np.zeros((0, 1, 2, 3), np.uint8), np.zeros((0, 1, 2))
    with pytest.raises(ValueError, match="at least one"):
        deletion_curve(LeftPixel(), none[:1] * 2, none[1:] * 2, [], 0.5, "black")
    with pytest.raises(XcosError, match="no filling 'pink'"):
        deletion_curve(LeftPixel(), (face, face), (maps, maps), [True] * 2, 0.5, "pink")
