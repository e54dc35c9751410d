import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.export.compression.equalise import cell_sizes, channel_sizes, equalised
from xcos_tf.export.compression.layout import grid_feature, prelu_links, simple_weights
from xcos_tf.export.compression.operations import FloatOperations
from xcos_tf.models.builder import build_network


@pytest.fixture(scope="module")
def weights(preset):
    return simple_weights(preset.network)


@pytest.fixture(scope="module")
def grid(preset, faces):
    return preset.network.features(faces).numpy()


def test_simple_operations_compute_the_network(weights, faces, grid):
    found = grid_feature(faces, FloatOperations(weights)).numpy()
    np.testing.assert_allclose(found, grid, atol=2e-4)


@pytest.mark.parametrize("typical", [False, True])
def test_an_equalised_network_is_the_same_network(weights, faces, grid, typical):
    other = equalised(weights, faces, typical)
    assert not np.allclose(other["block_3_expand/kernel"], weights["block_3_expand/kernel"])
    found = grid_feature(faces, FloatOperations(other)).numpy()
    np.testing.assert_allclose(found, grid, atol=5e-4)


def test_slopes_are_bounded_and_channels_alike(weights, faces):
    before = np.concatenate([weights[f"{giver}_prelu/alpha"] for giver, _ in prelu_links()], -1)
    assert np.abs(before).max() > 9
    other = equalised(weights, faces)
    after = np.concatenate([other[f"{giver}_prelu/alpha"] for giver, _ in prelu_links()], -1)
    assert np.abs(after).max() <= 1
    # What a PReLU takes is equal by construction, but for channels that hardly ever speak.
    for name in ("stem_conv", "block_4_expand", "block_9_depthwise", "feature_conv", "conv"):
        size = channel_sizes(other, faces)[name]
        assert np.quantile(size, 0.1) > 0.99 * size.max(), name
    size = channel_sizes(weights, faces)["block_4_expand"]
    assert np.quantile(size, 0.1) < 0.5 * size.max()


def test_cells_are_alike(weights, faces, grid):
    other = equalised(weights, faces, cells=True)
    before, after = (cell_sizes(x, faces) for x in (weights, other))
    assert after.shape == (7, 7, 1) and before.max() > 2 * before.min()
    np.testing.assert_allclose(after, after.max(), rtol=1e-3)
    found = grid_feature(faces, FloatOperations(other)).numpy()
    np.testing.assert_allclose(found, grid, atol=5e-4)


def test_typical_sizes_are_root_mean_squares(weights, faces):
    other = equalised(weights, faces, typical=True)
    size = channel_sizes(other, faces, typical=True)["block_9_depthwise_prelu"]
    assert np.quantile(size, 0.1) > 0.99 * size.max()
    stem = grid_feature(faces, _Stem(weights))
    sizes = channel_sizes(weights, faces, typical=True)["stem_conv"]
    np.testing.assert_allclose(sizes, np.sqrt((stem**2).mean(axis=(0, 1, 2))), rtol=1e-4)


class _Stem(FloatOperations):
    """Goes no further than the first convolution."""

    def conv(self, name, x, stride=1):
        return super().conv(name, x, stride).numpy() if name == "stem_conv" else x

    def depthwise(self, name, x, stride):
        return x

    prelu = cell_scale = cell_restore = lambda self, name, x: x

    def add(self, name, a, b):
        return a


@pytest.mark.parametrize(
    "change",
    [
        {"backbone": {"kind": "mobilefacenet", "batch_norm": True}},
        {"xcos": {"cell_affine": False, "batch_norm": False}},
        {"xcos": {"cell_affine": True, "batch_norm": True}},
    ],
)
def test_other_networks_are_refused(change):
    model = {
        "backbone": {"kind": "mobilefacenet", "batch_norm": False},
        "xcos": {"cell_affine": True, "batch_norm": False},
    }
    with pytest.raises(XcosError, match="use the preset 'xcos-mobilefacenet-2'"):
        simple_weights(build_network({**model, **change}))
