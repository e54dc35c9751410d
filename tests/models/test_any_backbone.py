"""Backbones that a configuration names, and what a preset keeps of them."""

import json
import sys

import numpy as np
import pytest
from tensorflow import keras

from xcos_tf import Verifier, XCos
from xcos_tf.errors import XcosError
from xcos_tf.models.any_backbone import restore, store
from xcos_tf.models.builder import build_network
from xcos_tf.models.weights import read_arrays

MOBILENET = {"kind": "keras.applications.MobileNetV2", "alpha": 0.35}


def model(backbone, channels=4):
    return {"backbone": backbone, "xcos": {"channels": channels}}


def three_cells(width=6):
    image = keras.Input((24, 24, 3))
    return keras.Model(image, keras.layers.Conv2D(width, 8, strides=8)(image))


def no_model():
    return "a string"


def test_a_model_of_keras_goes_into_a_preset_and_comes_back(tmp_path, random):
    network = build_network(model(MOBILENET))
    assert network.features.output_shape == (None, 4, 4, 4)
    network.save_to_preset(tmp_path / "mine")
    config = json.loads((tmp_path / "mine" / "config.json").read_text(encoding="utf-8"))
    assert config["model"]["backbone"]["kind"] == "keras"
    verifier = Verifier.from_preset(tmp_path / "mine")
    own, found = read_arrays(network), read_arrays(verifier.network)
    assert own.keys() == found.keys()
    for path, array in own.items():
        np.testing.assert_array_equal(found[path], array)
    faces = random.integers(0, 256, (2, 112, 112, 3), np.uint8)
    expected = network.features((faces.astype(np.float32) - 127.5) / 128)
    # A backbone with random weights makes short cells.
    size = np.abs(expected).max()
    np.testing.assert_allclose(verifier.embed(faces) / size, expected / size, atol=1e-5)


def test_nested_models_and_weights_that_count_are_kept(tmp_path):
    image = keras.Input((8, 8, 3))
    x = keras.layers.Normalization(name="normalise")(image)
    inner = keras.Sequential([keras.layers.Conv2D(4, 4, strides=4, name="conv")], name="inner")
    network = XCos(keras.Model(image, inner(x)), channels=2)
    for weight in network.backbone.get_layer("normalise").weights:
        weight.assign(np.full(weight.shape, 7))
    network.save_to_preset(tmp_path / "mine")
    own, found = (read_arrays(x) for x in (network, XCos.from_preset(tmp_path / "mine")))
    assert found["grid/backbone/normalise/count"] == 7
    assert found["grid/backbone/normalise/count"].dtype.kind == "i"
    assert "grid/backbone/inner/conv/kernel" in found
    assert own.keys() == found.keys()
    for path, array in own.items():
        np.testing.assert_array_equal(found[path], array)


def test_a_function_is_imported_for_training_and_for_nothing_else(tmp_path):
    section = {"kind": f"{__name__}.three_cells", "width": 5}
    network = build_network(model(section), trusted=True)
    assert network.backbone.output_shape == (None, 3, 3, 5)
    with pytest.raises(ValueError, match="in training the dotted path of a function"):
        build_network(model(section))
    network.save_to_preset(tmp_path / "mine")
    assert XCos.from_preset(tmp_path / "mine").backbone.output_shape == (None, 3, 3, 5)


@pytest.mark.parametrize(
    ("section", "message"),
    [
        ({"kind": "mobilefacenett"}, "did you mean 'mobilefacenet'?"),
        ({"kind": "keras.applications.MobileNetV22"}, "did you mean 'MobileNetV2'?"),
        ({"kind": f"{__name__}.three_cels"}, "did you mean 'three_cells'?"),
        ({"kind": "no_such_module.function"}, "No module named 'no_such_module'"),
        ({"kind": f"{__name__}.no_model"}, "to return a keras.Model"),
        ({"kind": "sys.exit"}, "to return a keras.Model"),
        ({**MOBILENET, "weights": "imagenet"}, "nothing is downloaded"),
        ({**MOBILENET, "pooling": "avg"}, "one output of shape"),
    ],
)
def test_what_cannot_be_built_is_refused(section, message):
    with pytest.raises(ValueError) as refusal:
        build_network(model(section), trusted=True)
    assert message in str(refusal.value)


class Doubled(keras.layers.Layer):
    def call(self, inputs):
        return 2.0 * inputs

    def compute_output_shape(self, input_shape):
        return input_shape


def with_layer(layer):
    image = keras.Input((8, 8, 3))
    return XCos(keras.Model(image, layer(image)), channels=2)


def test_code_and_layers_that_nobody_knows_are_stored_in_no_preset(tmp_path):
    with pytest.raises(ValueError, match="import the module that registers it"):
        with_layer(Doubled()).save_to_preset(tmp_path / "mine")
    with pytest.raises(ValueError, match="a Lambda, which is code"):
        with_layer(keras.layers.Lambda(lambda x: x)).save_to_preset(tmp_path / "mine")
    assert not (tmp_path / "mine").exists()


def test_a_registered_layer_is_needed_by_who_loads(tmp_path):
    registered = keras.utils.register_keras_serializable("ours_for_tests")(Doubled)
    try:
        with_layer(registered()).save_to_preset(tmp_path / "mine")
        XCos.from_preset(tmp_path / "mine")
    finally:
        keras.utils.get_custom_objects().pop("ours_for_tests>Doubled")
    with pytest.raises(XcosError, match="import the module that registers it") as refusal:
        XCos.from_preset(tmp_path / "mine")
    assert "\n" not in str(refusal.value)


def test_a_stored_model_imports_nothing_that_it_names(tmp_path, monkeypatch):
    (tmp_path / "trap.py").write_text("raise SystemExit('it ran')\n", encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    config = store(three_cells())["config"]
    text = json.dumps(config).replace('"module": "keras.layers"', '"module": "trap"')
    assert '"trap"' in text
    with pytest.raises(ValueError, match="neither is Keras's own nor registered"):
        restore(json.loads(text))
    assert "trap" not in sys.modules
    function = {"module": "os", "class_name": "function", "config": "system"}
    function = f'"activation": {json.dumps(function)}'
    text = json.dumps(config).replace('"activation": "linear"', function)
    assert '"system"' in text
    with pytest.raises(ValueError, match="neither is Keras's own nor registered"):
        restore(json.loads(text))
