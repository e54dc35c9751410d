import numpy as np
import pytest
from tensorflow import keras

from xcos_tf import make_explainable


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
    assert outputs["xcos"].shape == (2,)
    assert outputs["similarity_map"].shape == outputs["attention_map"].shape == (2, 3, 3)
    product = outputs["similarity_map"] * outputs["attention_map"]
    np.testing.assert_allclose(outputs["xcos"], product.sum((1, 2)), atol=1e-6)


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
