"""The networks as Keras models."""

import numpy as np
import pytest
from tensorflow import keras

from xcos_tf import FaceEmbedder, XCos, make_explainable
from xcos_tf.errors import XcosError
from xcos_tf.models.heads import fc_head
from xcos_tf.models.presets import load_preset
from xcos_tf.models.weights import assign_arrays, read_arrays


def backbone():
    image = keras.Input((8, 8, 3), name="image")
    x = keras.layers.Conv2D(6, 3, strides=4, padding="same", name="conv")(image)
    return keras.Model(image, x, name="any")


@pytest.fixture
def network():
    """An xCos network whose weights and statistics are all random, P's too."""
    network = XCos(backbone(), channels=4, cell_affine=True, symmetric=False)
    random = np.random.default_rng(7)
    for weight in network.weights:
        weight.assign(random.uniform(0.1, 1.0, weight.shape))
    return network


@pytest.fixture
def images(random):
    return [random.normal(size=(3, 8, 8, 3)).astype(np.float32) for _ in "ab"]


def scores(network, images):
    return network.predict(images, verbose=0)


@pytest.mark.parametrize("attention", ["patched", "correlated", "learned"])
def test_its_outputs_are_those_of_one_attention(network, images, attention):
    one = XCos(network.backbone, 4, True, symmetric=False, attention=attention)
    assign_arrays(one, read_arrays(network), "the fixture")
    found = scores(one, images)
    grids = [np.asarray(one.features(x)) for x in images]
    cosines = np.einsum("nijc,nijc->nij", *grids)
    cosines /= np.prod([np.linalg.norm(grid, axis=-1) for grid in grids], axis=0)
    np.testing.assert_allclose(found["similarity_map"], cosines, atol=1e-6)
    expected = np.asarray(one.comparisons[attention](grids)["attention_map"])
    np.testing.assert_allclose(found["attention_map"], expected, atol=1e-6)
    np.testing.assert_allclose(found["xcos"], (cosines * expected).sum((1, 2)), atol=1e-6)


def test_the_last_attention_is_the_default(network):
    assert network.attention == "learned"
    assert XCos(backbone(), attentions=("learned", "patched")).attention == "patched"
    with pytest.raises(ValueError, match="Expected `attention` to be one of"):
        XCos(backbone(), attentions=("patched",), attention="learned")


def test_a_saved_network_keeps_all_attentions(network, images, tmp_path):
    network.save(tmp_path / "x.keras")
    again = keras.models.load_model(tmp_path / "x.keras")
    assert type(again) is XCos
    own, found = network.get_config(), again.get_config()
    assert own.pop("backbone").keys() == found.pop("backbone").keys()
    assert own == found
    arrays, found = read_arrays(network), read_arrays(again)
    assert sum(x.size for x in arrays.values()) == network.count_params()
    assert "correlated/correlated_attention/correlation" in arrays
    assert arrays.keys() == found.keys()
    for path, array in arrays.items():
        np.testing.assert_array_equal(found[path], array)
    before, after = scores(network, images), scores(again, images)
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value)


def test_a_saved_embedder_is_one_again(images, tmp_path):
    network = FaceEmbedder(backbone(), fc_head((2, 2, 6), 5))
    network.save(tmp_path / "e.keras")
    again = keras.models.load_model(tmp_path / "e.keras")
    assert type(again) is FaceEmbedder
    np.testing.assert_array_equal(scores(again, images[0]), scores(network, images[0]))
    assert list(read_arrays(again)) == list(read_arrays(network))


def test_both_have_one_interface(network, images):
    embedder = FaceEmbedder(backbone(), fc_head((2, 2, 6), 5))
    assert (network.explains, embedder.explains) == (True, False)
    assert list(network.comparisons) == ["patched", "correlated", "learned"]
    assert list(embedder.comparisons) == ["cosine"]
    embeddings = [np.asarray(embedder.features(x)) for x in images]
    found = embedder.comparisons["cosine"](embeddings)["xcos"]
    a, b = (x / np.linalg.norm(x, axis=-1, keepdims=True) for x in embeddings)
    np.testing.assert_allclose(found, (a * b).sum(-1), atol=1e-6)
    assert [part.name for part in network.parts] == ["grid", *network.comparisons]
    assert [part.name for part in embedder.parts] == ["backbone", "embedding_head"]


def test_it_is_compiled_and_fitted_by_the_names_of_its_outputs(network, images):
    network.compile("sgd", loss={"xcos": "mse"})
    before = network.head.get_layer("conv").get_weights()[0]
    network.fit(images, {"xcos": np.zeros(3, np.float32)}, verbose=0)
    assert np.abs(network.head.get_layer("conv").get_weights()[0] - before).max() > 0
    found = network.evaluate(images, {"xcos": np.ones(3)}, verbose=0, return_dict=True)
    expected = np.mean(np.square(1 - scores(network, images)["xcos"]))
    np.testing.assert_allclose(found["loss"], expected, rtol=1e-4)


def test_a_preset_brings_its_weights_and_takes_them(images, tmp_path):
    network = XCos.from_preset("xcos-mobilefacenet-2", attention="patched")
    assert network.attention == "patched"
    arrays = read_arrays(load_preset("xcos-mobilefacenet-2").network)
    network.save_to_preset(tmp_path / "mine", thresholds={"learned": {"0.001": 0.3}})
    loaded = load_preset(tmp_path / "mine")
    assert loaded.config["name"] == "mine"
    assert loaded.config["thresholds"] == {"learned": {"0.001": 0.3}}
    assert loaded.config["model"]["backbone"] == {"kind": "mobilefacenet", "batch_norm": False}
    found = read_arrays(loaded.network)
    assert found.keys() == arrays.keys()
    for path, array in arrays.items():
        np.testing.assert_array_equal(found[path], array)


def test_a_preset_of_the_other_class_is_refused(network, tmp_path):
    with pytest.raises(XcosError, match="'mobilefacenet' is of FaceEmbedder"):
        XCos.from_preset("mobilefacenet")
    (tmp_path / "photo.jpg").touch()
    with pytest.raises(XcosError, match="holds other files"):
        network.save_to_preset(tmp_path)


def test_a_network_of_ones_own_backbone_becomes_a_preset(network, images, tmp_path):
    network.save_to_preset(tmp_path / "own")
    again = XCos.from_preset(tmp_path / "own")
    before, after = scores(network, images), scores(again, images)
    for name, value in before.items():
        np.testing.assert_allclose(after[name], value, atol=1e-6)
    embedder = FaceEmbedder(backbone(), fc_head((2, 2, 6), 5))
    embedder.save_to_preset(tmp_path / "plain")
    again = FaceEmbedder.from_preset(tmp_path / "plain")
    np.testing.assert_allclose(scores(again, images[0]), scores(embedder, images[0]), atol=1e-6)


def test_a_summary_shows_the_parts(network):
    lines = []
    network.summary(print_fn=lambda line, **options: lines.append(line))
    text = "\n".join(lines)
    for name in ("image_a", "grid", "learned", "similarity_map", "attention_map", "xcos"):
        assert name in text


@pytest.fixture(scope="module")
def mobilenet():
    """A classifier of the Keras applications with random weights; 96 pixels give a 3×3 grid."""
    return keras.applications.MobileNetV2(
        input_shape=(96, 96, 3), alpha=0.35, weights=None, include_top=False
    )


@pytest.mark.parametrize("attention", ["patched", "correlated", "learned"])
def test_any_backbone_becomes_explainable(mobilenet, attention, random):
    verifier = make_explainable(mobilenet, attention, channels=8)
    images = [random.uniform(-1, 1, (2, 96, 96, 3)).astype(np.float32) for _ in range(2)]
    outputs = {key: value.numpy() for key, value in verifier(images).items()}
    # By hand from the backbone's own feature maps: the 1×1 convolution in NumPy, then the cosines.
    kernel, bias = verifier.head.get_layer("conv").get_weights()
    grids = [np.asarray(mobilenet(x)) @ kernel[0, 0] + bias for x in images]
    grids = [np.asarray(_after_convolution(verifier.head)(grid), np.float64) for grid in grids]
    a, b = (grid / np.linalg.norm(grid, axis=-1, keepdims=True) for grid in grids)
    cosines = (a * b).sum(-1)
    assert np.abs(cosines).max() > 0.1
    np.testing.assert_allclose(outputs["similarity_map"], cosines, atol=1e-4)
    weights = outputs["attention_map"]
    np.testing.assert_allclose(weights.sum((1, 2)), 1, atol=1e-5)
    if attention != "learned":  # P is U until it is measured
        np.testing.assert_allclose(weights, np.full((2, 3, 3), 1 / 9), atol=1e-6)
    np.testing.assert_allclose(outputs["xcos"], (cosines * weights).sum((1, 2)), atol=1e-4)


def _after_convolution(head):
    return keras.Model(head.get_layer("conv").output, head.output)


def test_it_is_saved_and_becomes_a_preset(mobilenet, tmp_path, random):
    verifier = make_explainable(mobilenet, "learned", 8, feature_layer="block_3_expand_relu")
    images = [random.uniform(-1, 1, (2, 96, 96, 3)).astype(np.float32) for _ in range(2)]
    expected = verifier.predict(images, verbose=0)
    verifier.save(tmp_path / "x.keras")
    verifier.save_to_preset(tmp_path / "preset")
    for again in (
        keras.models.load_model(tmp_path / "x.keras"),
        XCos.from_preset(tmp_path / "preset"),
    ):
        found = again.predict(images, verbose=0)
        for name, value in expected.items():
            np.testing.assert_allclose(found[name], value, atol=1e-5)


def test_an_inner_layer_gives_a_finer_grid(mobilenet):
    verifier = make_explainable(mobilenet, feature_layer="block_6_expand_relu")
    assert tuple(verifier.output["similarity_map"].shape) == (None, 12, 12)


def test_it_trains_by_fit(images):
    verifier = make_explainable(backbone(), "learned", channels=4)
    target = keras.Model(verifier.inputs, verifier.output["xcos"])
    target.compile("adam", "mse")
    conv = verifier.head.get_layer("conv")
    before = conv.get_weights()[0].copy()
    history = target.fit(images, np.zeros(3, np.float32), epochs=1, batch_size=3, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert np.abs(conv.get_weights()[0] - before).max() > 0


def test_a_backbone_without_feature_map_is_refused():
    image = keras.Input((8, 8, 3))
    pooled = keras.Model(image, keras.layers.GlobalAveragePooling2D()(image))
    with pytest.raises(ValueError, match=r"output of shape \(N, h, w, c\)"):
        make_explainable(pooled)
