import numpy as np
import pytest

from xcos_tf.data.alignment import FACE_SIZE, TEMPLATE_LANDMARKS
from xcos_tf.explain.regions import region_map, region_means


def swap_sides(regions: np.ndarray) -> np.ndarray:
    def swap(name):
        if name.startswith("left"):
            return name.replace("left", "right", 1)
        return name.replace("right", "left", 1) if name.startswith("right") else name

    return np.vectorize(swap)(regions)


def test_the_templates_landmarks_lie_in_their_regions():
    names = ("left eye", "right eye", "nose tip", "left mouth corner", "right mouth corner")
    for size in (7, 14, 28, 56, 112):
        regions = region_map(size, size)
        for name, (x, y) in zip(names, TEMPLATE_LANDMARKS, strict=True):
            assert regions[int(y * size / FACE_SIZE), int(x * size / FACE_SIZE)] == name


@pytest.mark.parametrize("shape", [(1, 1), (2, 2), (3, 5), (4, 4), (7, 7), (8, 6), (14, 10)])
def test_left_is_the_pictures_left_and_mirrors_right(shape):
    regions = region_map(*shape)
    assert regions.shape == shape
    np.testing.assert_array_equal(swap_sides(regions[:, ::-1]), regions)
    for half, side in ((regions[:, : shape[1] // 2], "right"), (regions[:, ::-1], None)):
        assert side is None or not any(name.startswith(side) for name in half.flat)


def test_a_fine_grid_splits_each_cell_of_the_coarse_one():
    np.testing.assert_array_equal(region_map(21, 14), region_map(7, 7).repeat(3, 0).repeat(2, 1))


def test_regions_run_down_the_face():
    assert list(region_map(7, 7)[:, 3]) == [
        "hairline",
        "forehead",
        "between the brows",
        "nose bridge",
        "nose tip",
        "mouth",
        "chin",
    ]
    assert len(np.unique(region_map(7, 7))) == 21


def test_no_grid_is_refused():
    with pytest.raises(ValueError, match="height=0, width=7"):
        region_map(0, 7)


def test_regions_are_in_reading_order(random):
    values = random.normal(size=(7, 7))
    means = region_means(values, np.ones((7, 7)))
    assert means["nose bridge"] == pytest.approx(values[3, 3])
    assert means["left brow"] == pytest.approx((values[2, 1] + values[2, 2]) / 2)
    assert next(iter(means)) == "hairline" and list(means)[-1] == "chin"


def test_means_are_weighted_and_plain_without_weight():
    values, weights = np.zeros((7, 7)), np.zeros((7, 7))
    values[2, 1:3], weights[2, 1:3] = (0.2, 0.8), (3, 1)
    values[2, 4:6] = (0.2, 0.8)
    means = region_means(values, weights)
    assert means["left brow"] == pytest.approx(0.35)
    assert means["right brow"] == pytest.approx(0.5)


def test_means_of_maps_that_do_not_fit_are_refused():
    with pytest.raises(ValueError, match=r"values.shape=\(7, 7\), weights.shape=\(7, 6\)"):
        region_means(np.zeros((7, 7)), np.ones((7, 6)))
    with pytest.raises(ValueError, match="weights ≥ 0"):
        region_means(np.zeros((7, 7)), -np.ones((7, 7)))
