"""int8 of the paper's own networks, whose batch normalisation is not folded yet."""

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from tensorflow.lite.tools import flatbuffer_utils

from xcos_tf.cli.main import main
from xcos_tf.environment import keras
from xcos_tf.errors import XcosError
from xcos_tf.export.tflite import export
from xcos_tf.export.tflite.convert import convert_function, model_function
from xcos_tf.export.tflite.int8 import int8_grid, representative_faces
from xcos_tf.export.tflite.int8_layers import Layers
from xcos_tf.export.tflite.signatures import signature_of
from xcos_tf.models import ir
from xcos_tf.models.builder import build_network
from xcos_tf.models.network import make_explainable
from xcos_tf.models.normalisation import normalise_pixels
from xcos_tf.models.presets import Preset, load_preset, save_preset

SIDE = 32
MODELS = {
    "ir": {"kind": "ir", "squeeze_excitation": False},
    "ir-se": {"kind": "ir", "squeeze_excitation": True},
    "mobilefacenet": {"kind": "mobilefacenet"},
}
BUILTIN = flatbuffer_utils.schema_fb.BuiltinOperator


@pytest.fixture(scope="module", params=MODELS)
def network(request):
    """A small network as if it had been trained, with slopes on both sides of 1."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ir, "STAGE_UNITS", {50: (1, 1, 2, 1)})
        backbone = {**MODELS[request.param], "input_size": SIDE}
        network = build_network({"backbone": backbone, "xcos": {}})
    random = np.random.default_rng(5)
    for layer in (*network.backbone.layers, *network.head.layers):
        if isinstance(layer, keras.layers.BatchNormalization):
            gamma, beta, mean, variance = layer.get_weights()
            gamma, variance = (random.uniform(0.7, 1.4, gamma.shape) for _ in range(2))
            beta, mean = (random.normal(0, 0.3, beta.shape) for _ in range(2))
            layer.set_weights([gamma, beta, mean, variance])
        if isinstance(layer, keras.layers.PReLU):
            layer.set_weights([random.uniform(-0.2, 1.2, x.shape) for x in layer.get_weights()])
    return network


@pytest.fixture(scope="module")
def faces():
    coarse = np.random.default_rng(6).integers(0, 256, (16, 4, 4, 3))
    return np.kron(coarse, np.ones((1, SIDE // 4, SIDE // 4, 1), int)).astype(np.uint8)


def test_layers_are_the_network_when_nothing_is_rounded(network, faces):
    images = normalise_pixels(faces[:4])
    expected = network.features(images, training=False).numpy()
    grid = Layers(lambda name, x: x).grid(network, images).numpy()
    # Slopes and nothing else are of 8 bits.
    assert np.abs(grid - expected).max() < 0.02 * np.abs(expected).max()


def test_int8_is_near_the_network_and_int8_throughout(network, faces):
    function = model_function(network, "embed", int8_grid(network, faces))
    inputs, _ = signature_of(Preset({}, network), "embed")
    content = convert_function(function, inputs, None, "int8")
    run = Interpreter(model_content=content).get_signature_runner("serving_default")
    grid = run(image=faces)["grid"]
    expected = network.features(normalise_pixels(faces), training=False).numpy()
    lengths = np.linalg.norm(grid, axis=-1) * np.linalg.norm(expected, axis=-1)
    cosines = (grid * expected).sum(axis=-1) / lengths
    assert 0.98 < cosines.mean() < 0.999999  # and not float32 by another name
    if network.backbone.layers[1].name == "stem_conv":
        return  # it is equalised, and its last 7×7×32 products, sums and PReLU are float32
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    graph, codes = model.subgraphs[0], model.operatorCodes
    kinds = [codes[x.opcodeIndex].builtinCode for x in graph.operators]
    assert BUILTIN.PRELU not in kinds
    start = kinds.index(BUILTIN.QUANTIZE)  # of the normalised pixels
    int8 = flatbuffer_utils.schema_fb.TensorType.INT8
    for kind, operator in list(zip(kinds, graph.operators, strict=True))[start:]:
        if kind != BUILTIN.DEQUANTIZE:
            assert graph.tensors[operator.outputs[0]].type == int8, kind


def test_mobilefacenet_with_batch_norm_is_equalised():
    """The bundled weights, whose channels and slopes differ much, as a network that has them."""
    bundled = load_preset("xcos-mobilefacenet-2").network
    network = build_network({"backbone": {"kind": "mobilefacenet"}, "xcos": {}})
    random = np.random.default_rng(8)
    for layer in bundled.backbone.layers:
        if isinstance(layer, (keras.layers.Conv2D, keras.layers.DepthwiseConv2D)):
            kernel, bias = layer.get_weights()
            normal = network.backbone.get_layer(f"{layer.name}_bn")
            mean, variance = random.normal(size=bias.shape), random.uniform(0.5, 2, bias.shape)
            gamma = np.sqrt(variance + normal.epsilon)
            network.backbone.get_layer(layer.name).set_weights([kernel])
            normal.set_weights([gamma, bias + mean, mean, variance])
        elif isinstance(layer, keras.layers.PReLU):
            network.backbone.get_layer(layer.name).set_weights(layer.get_weights())
    images = normalise_pixels(representative_faces(count=8))
    expected = network.features(images, training=False).numpy()
    grid = np.asarray(int8_grid(network, representative_faces(count=8))(images))
    lengths = np.linalg.norm(grid, axis=-1) * np.linalg.norm(expected, axis=-1)
    assert ((grid * expected).sum(axis=-1) / lengths).mean() > 0.98


def test_layer_of_another_kind_is_named_and_the_command_says_so_once(tmp_path, monkeypatch, capsys):
    image = keras.Input((112, 112, 3))
    pooled = keras.layers.AveragePooling2D(16, name="odd")(image)
    network = make_explainable(keras.Model(image, pooled), "patched", channels=2)
    save_preset(tmp_path / "mine", {"name": "mine", "thresholds": {}}, network)
    with pytest.raises(XcosError, match="IR-SE, and this network has 'odd', which is none"):
        int8_grid(network, np.zeros((1, 112, 112, 3), np.uint8))
    monkeypatch.setattr(export, "MODELS", ("compare",))
    monkeypatch.setattr(export, "BATCHES", (1,))
    command = ["export", str(tmp_path / "mine"), str(tmp_path / "out"), "--to", "tflite"]
    assert main(command) == 0
    printed = capsys.readouterr()
    names = [f"compare.{x}.tflite" for x in ("float32", "float16", "dynamic")]
    assert [line.rsplit("/", 1)[1] for line in printed.out.splitlines()] == names
    (line,) = [x for x in printed.err.splitlines() if "int8" in x]
    assert line.startswith("xcos export: int8 is left out: int8 is made of the layers of")
    assert main([*command, "--variants", "int8"]) == 2
