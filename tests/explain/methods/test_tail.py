import numpy as np
import pytest
from tensorflow import keras

from tests.explain.methods.networks import (
    CHANNELS,
    HEADS,
    backbone,
    corner_backbone,
    head,
    toy_verifier,
)
from tests.verifying import untrained_network
from xcos_tf.errors import XcosError
from xcos_tf.explain.methods.tail import TailDecomposition, cosine_maps
from xcos_tf.models.presets import Preset
from xcos_tf.verifier import Verifier


@pytest.fixture(params=HEADS)
def kind(request):
    return request.param


def features_of(verifier, faces):
    """What the head gets, by the backbone alone, float64."""
    body = verifier.network.backbone
    return body((faces.astype(np.float32) - 127.5) / 128).numpy().astype(np.float64)


def cosine(a, b):
    return a @ b / np.linalg.norm(a) / np.linalg.norm(b)


def test_the_parts_add_up_to_the_networks_own_embedding(kind, pair):
    verifier = toy_verifier(backbone(), head(kind))
    sums = TailDecomposition().cell_sums(verifier, pair)
    own = verifier.embed(pair)
    added = sums.bias + sums.contributions.sum(axis=(1, 2))
    assert sums.contributions.shape == (2, 7, 7, 5)
    np.testing.assert_allclose(added, own, atol=1e-5 * np.linalg.norm(own, axis=-1).max())
    np.testing.assert_allclose(sums.embeddings, own, rtol=1e-5, atol=1e-6)


def test_each_map_sums_to_the_cosine(kind, pair):
    verifier = toy_verifier(backbone(), head(kind))
    expected = cosine(*verifier.embed(pair).astype(np.float64))
    for values in cosine_maps(TailDecomposition().cell_sums(verifier, pair)):
        assert values.shape == (7, 7)
        assert values.sum() == pytest.approx(expected, abs=1e-5)


def test_the_bundled_presets_maps_sum_to_its_cosine(pair):
    verifier = Verifier.from_preset("mobilefacenet")
    expected = cosine(*verifier.embed(pair).astype(np.float64))
    for values in cosine_maps(TailDecomposition().cell_sums(verifier, pair)):
        assert values.sum() == pytest.approx(expected, abs=1e-5)


def test_contributions_of_a_depthwise_head_are_those_of_its_algebra(pair):
    tail = head("depthwise")
    verifier = toy_verifier(backbone(), tail)
    depthwise, mix, project = (
        np.asarray(tail.get_layer(name).weights[0]) for name in ("depthwise", "mix", "project")
    )
    expected = features_of(verifier, pair) * depthwise[..., 0] @ mix[0, 0] @ project[0, 0]
    found = TailDecomposition().cell_sums(verifier, pair).contributions
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_contributions_of_an_fc_head_are_those_of_its_algebra(pair):
    tail = head("fc")
    verifier = toy_verifier(backbone(), tail)

    def scale(name):
        layer = tail.get_layer(name)
        return layer.gamma.numpy() / np.sqrt(layer.moving_variance.numpy() + layer.epsilon)

    kernel = tail.get_layer("fc").kernel.numpy().reshape(7, 7, CHANNELS, 5)
    scaled = features_of(verifier, pair) * scale("feature_bn")
    expected = np.einsum("nijc,ijcd->nijd", scaled, kernel) * scale("embedding_bn")
    found = TailDecomposition().cell_sums(verifier, pair).contributions
    np.testing.assert_allclose(found, expected, atol=1e-5 * np.abs(expected).max())


def test_an_explanation_is_the_maps_scaled(kind, pair):
    verifier = toy_verifier(backbone(), head(kind))
    method = TailDecomposition()
    explanation = method.explain(verifier, *pair)
    raw = cosine_maps(method.cell_sums(verifier, pair))
    for values, unscaled in zip((explanation.map_a, explanation.map_b), raw, strict=True):
        np.testing.assert_allclose(values, unscaled / np.abs(unscaled).max(), atol=1e-6)
        assert values.dtype == np.float32
    assert (explanation.method, explanation.signed, explanation.per_pair) == ("tail", True, False)
    assert explanation.score == pytest.approx(cosine(*verifier.embed(pair)), abs=1e-6)
    assert (explanation.forward, explanation.backward) == (2, 0)
    assert explanation.seconds > 0


def test_swapping_the_faces_swaps_the_maps(kind, pair):
    verifier = toy_verifier(backbone(), head(kind))
    method = TailDecomposition()
    one, other = method.explain(verifier, *pair), method.explain(verifier, *pair[::-1])
    np.testing.assert_allclose(one.map_a, other.map_b, atol=1e-5)
    assert np.abs(one.map_a - one.map_b).max() > 0.01


def test_cells_that_the_network_does_not_look_at_have_the_biass_part_only(pair):
    verifier = toy_verifier(corner_backbone(), head("depthwise"))
    sums = TailDecomposition().cell_sums(verifier, pair)
    a, b = verifier.embed(pair).astype(np.float64)
    share = sums.bias @ b / np.linalg.norm(a) / np.linalg.norm(b) / 49
    seen = np.zeros((7, 7), bool)
    seen[:3, :3] = True
    values = cosine_maps(sums)[0]
    np.testing.assert_allclose(values[~seen], share, atol=1e-6)
    assert np.abs(values[seen] - share).min() > 1e-5


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_a_tail_that_is_not_linear_is_refused(activation, pair):
    feature_map = keras.Input((7, 7, CHANNELS))
    x = keras.layers.DepthwiseConv2D(7)(feature_map)
    x = keras.layers.Activation(activation)(x)
    x = keras.layers.Conv2D(5, 1)(x)
    verifier = toy_verifier(backbone(), keras.Model(feature_map, keras.layers.Flatten()(x)))
    with pytest.raises(XcosError, match=r"'tail' cannot explain the preset 'toy'.*not linear"):
        TailDecomposition().explain(verifier, *pair)


def test_an_xcos_preset_is_refused(pair):
    verifier = Verifier(Preset({"name": "gridded", "thresholds": {}}, untrained_network()))
    with pytest.raises(XcosError, match="'gridded' has a grid; use a plain preset"):
        TailDecomposition().explain(verifier, *pair)
