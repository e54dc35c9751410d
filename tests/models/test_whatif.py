import numpy as np
import pytest

from xcos_tf.models.whatif import REACH, ChangedGrids, covered_grids


@pytest.mark.parametrize("shape", [(7, 7, 3), (2, 4, 5)])
def test_windows_change_the_cells_around_the_covered_one(shape, random):
    height, width, channels = shape
    side = 2 * REACH + 1
    grids = random.normal(size=(2, *shape)).astype(np.float32)
    windows = random.normal(size=(2, height, width, side, side, channels)).astype(np.float32)
    size = random.uniform(1, 2, shape).astype(np.float32)
    mean = random.normal(size=shape).astype(np.float32)
    pull = random.uniform(0, 1, (side, side, channels)).astype(np.float32)
    layer = ChangedGrids()
    inputs = [grids, windows.reshape(2, height, width, -1)]
    layer(inputs)
    layer.size.assign(size)
    layer.mean.assign(mean)
    layer.pull.assign(pull.ravel())
    expected = np.repeat(grids[:, np.newaxis], height * width, axis=1)
    for y, x in np.ndindex(height, width):
        for i, j in np.ndindex(height, width):
            down, right = i - y + REACH, j - x + REACH
            if 0 <= down < side and 0 <= right < side:
                change = windows[:, y, x, down, right] * size[i, j]
                change += pull[down, right] * (mean[i, j] - grids[:, i, j])
                expected[:, y * width + x, i, j] += change
    np.testing.assert_allclose(layer(inputs), expected, atol=1e-5)


def test_nothing_changes_before_training(random):
    model = covered_grids((7, 7, 4), channels=5)
    grids = random.normal(size=(3, 7, 7, 4)).astype(np.float32)
    covered = model(grids).numpy()
    assert covered.shape == (3, 49, 7, 7, 4)
    np.testing.assert_array_equal(covered, np.repeat(grids[:, np.newaxis], 49, axis=1))
