import numpy as np
import pytest
from tensorflow import keras

from xcos_tf import XCos, make_explainable


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
    verifier = make_explainable(mobilenet, "learned", 8, feature_layer="block_6_expand_relu")
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


def test_it_trains_by_fit(mobilenet, random):
    verifier = make_explainable(mobilenet, "learned", channels=4)
    target = keras.Model(verifier.inputs, verifier.output["xcos"])
    target.compile("adam", "mse")
    images = [random.uniform(-1, 1, (8, 96, 96, 3)).astype(np.float32) for _ in range(2)]
    conv = verifier.head.get_layer("conv")
    before = conv.get_weights()[0].copy()
    history = target.fit(images, np.zeros(8, np.float32), epochs=1, batch_size=4, verbose=0)
    assert np.isfinite(history.history["loss"]).all()
    assert np.abs(conv.get_weights()[0] - before).max() > 0


def test_a_backbone_without_feature_map_is_refused():
    image = keras.Input((8, 8, 3))
    pooled = keras.Model(image, keras.layers.GlobalAveragePooling2D()(image))
    with pytest.raises(ValueError, match=r"output of shape \(N, h, w, c\)"):
        make_explainable(pooled)
