"""The files themselves: what they take, what they give, and how near it is to the Python API."""

import json
import zipfile

import numpy as np
import pytest
from ai_edge_litert.interpreter import Interpreter
from tensorflow.lite.tools import flatbuffer_utils

from tests.export.tflite.conftest import BATCHES_OF, PRESET
from xcos_tf.export.tflite.export import CONVERTED, file_name, model_maker
from xcos_tf.export.tflite.signatures import MODELS
from xcos_tf.models.presets import find_preset, load_preset, read_config
from xcos_tf.runtime.lite_model import LiteModel
from xcos_tf.runtime.model_file import ModelFile

FACE, GRID, MAP = (112, 112, 3), (7, 7, 32), (7, 7)
INPUTS = {
    "embed": {"image": (FACE, np.uint8)},
    "compare": {"grid_a": (GRID, np.float32), "grid_b": (GRID, np.float32)},
    "verify": {"image_a": (FACE, np.uint8), "image_b": (FACE, np.uint8)},
}
VERDICT = {"xcos": (), "similarity_map": MAP, "attention_map": MAP}
OUTPUTS = {"embed": {"grid": GRID}, "compare": VERDICT, "verify": VERDICT}
EVERY = [(m, v, b) for m in MODELS for v in CONVERTED for b in BATCHES_OF[v]]
# On these faces: the largest difference of xCos, the mean of S, the largest of W, and the mean
# cosine of a cell with itself, about twice as far from the truth as what was measured.
BOUNDS = {
    "float16": (7e-4, 1e-3, 3e-4, 0.99999),
    "dynamic": (0.07, 0.09, 0.035, 0.98),
    "int8": (0.02, 0.08, 0.02, 0.985),
}


@pytest.fixture(scope="module")
def run(exported, faces):
    """A function that runs a file on all faces, each compared with the next."""

    def of(model, variant, batch, grids=None):
        lite = LiteModel(ModelFile.read(exported / file_name(model, variant, batch), model))
        first = faces if grids is None else grids
        inputs = (first,) if model == "embed" else (first, np.roll(first, -1, axis=0))
        return lite(*inputs)

    return of


@pytest.mark.parametrize(("model", "variant", "batch"), EVERY)
def test_takes_and_gives_what_its_metadata_says(exported, random, model, variant, batch):
    path = exported / file_name(model, variant, batch)
    interpreter = Interpreter(model_path=str(path))
    runner = interpreter.get_signature_runner("serving_default")
    taken = {
        name: (tuple(x["shape_signature"]), x["dtype"])
        for name, x in runner.get_input_details().items()
    }
    first = -1 if batch is None else 1
    assert taken == {name: ((first, *s), dtype) for name, (s, dtype) in INPUTS[model].items()}
    for count in (1,) if batch else (1, 3):
        values = {
            name: random.integers(0, 255, (count, *shape)).astype(dtype)
            for name, (shape, dtype) in INPUTS[model].items()
        }
        given = runner(**values)
        assert {name: x.shape for name, x in given.items()} == {
            name: (count, *shape) for name, shape in OUTPUTS[model].items()
        }
        assert all(x.dtype == np.float32 and np.isfinite(x).all() for x in given.values())
    about = ModelFile.read(path).metadata
    for ports, details in (
        (about["inputs"], runner.get_input_details()),
        (about["outputs"], runner.get_output_details()),
    ):
        assert {x["name"]: (x["shape"][1:], x["dtype"]) for x in ports} == {
            name: (x["shape_signature"].tolist()[1:], np.dtype(x["dtype"]).name)
            for name, x in details.items()
        }
        assert all(x["shape"][0] == batch for x in ports)


@pytest.mark.parametrize(("model", "variant", "batch"), EVERY)
def test_has_builtin_operations_alone(exported, model, variant, batch):
    content = (exported / file_name(model, variant, batch)).read_bytes()
    codes = flatbuffer_utils.convert_bytearray_to_object(bytearray(content)).operatorCodes
    assert codes and all(code.customCode is None for code in codes)


def test_free_batch_can_be_resized_as_phones_do(exported, faces, truth):
    path = str(exported / file_name("embed", "float32", None))
    interpreter = Interpreter(model_path=path)
    source = interpreter.get_input_details()[0]["index"]
    for count in (5, 1, 6):
        interpreter.resize_tensor_input(source, [count, *FACE])
        interpreter.allocate_tensors()
        interpreter.set_tensor(source, faces[:count])
        interpreter.invoke()
        grids = interpreter.get_tensor(interpreter.get_output_details()[0]["index"])
        np.testing.assert_allclose(grids, truth["grid"][:count], atol=2e-5)


@pytest.mark.parametrize("batch", BATCHES_OF["float32"])
def test_float32_is_the_python_api(run, truth, batch):
    np.testing.assert_allclose(run("embed", "float32", batch)["grid"], truth["grid"], atol=2e-5)
    compared = run("compare", "float32", batch, truth["grid"])
    verified = run("verify", "float32", batch)
    for name in VERDICT:
        np.testing.assert_allclose(compared[name], truth[name], atol=1e-6)
        np.testing.assert_allclose(verified[name], truth[name], atol=1e-5)


@pytest.mark.parametrize(("variant", "batch"), [(v, b) for v in BOUNDS for b in BATCHES_OF[v]])
def test_other_variants_are_near(run, truth, variant, batch):
    found = run("verify", variant, batch)
    xcos, similarity_map, attention_map, cosine = BOUNDS[variant]
    far = {name: np.abs(found[name] - truth[name]) for name in VERDICT}
    assert far["xcos"].max() < xcos
    assert 1e-5 < far["similarity_map"].mean() < similarity_map  # and not float32 by another name
    assert far["attention_map"].max() < attention_map
    grids = run("embed", variant, batch)["grid"]
    lengths = np.linalg.norm(grids, axis=-1) * np.linalg.norm(truth["grid"], axis=-1)
    assert ((grids * truth["grid"]).sum(axis=-1) / lengths).mean() > cosine


@pytest.mark.parametrize("variant", CONVERTED)
def test_verify_is_embed_and_compare(run, variant):
    batch = BATCHES_OF[variant][0]
    grids = run("embed", variant, batch)["grid"]
    apart, at_once = run("compare", variant, batch, grids), run("verify", variant, batch)
    for name in VERDICT:
        np.testing.assert_allclose(at_once[name], apart[name], atol=1e-5)
    np.testing.assert_allclose(at_once["attention_map"].sum(axis=(1, 2)), 1, atol=1e-5)
    products = (at_once["similarity_map"] * at_once["attention_map"]).sum(axis=(1, 2))
    np.testing.assert_allclose(at_once["xcos"], products, atol=1e-5)


def test_verify_holds_the_backbone_once_and_variants_are_smaller(exported):
    size = {(m, v): (exported / file_name(m, v, b)).stat().st_size for m, v, b in EVERY}
    for variant in CONVERTED:
        parts = size["embed", variant] + size["compare", variant]
        assert size["verify", variant] < 1.05 * parts < 1.4 * size["verify", variant]
    assert size["embed", "float16"] < 0.51 * size["embed", "float32"]
    assert size["verify", "int8"] < 2_700_000


@pytest.mark.parametrize("preset", ["xcos-mobilefacenet", PRESET])  # two kinds of softmax
def test_int8_rounds_each_channel_of_a_kernel_by_itself_and_nothing_of_the_comparison(preset):
    content = model_maker(load_preset(preset), "int8")("verify", 1)
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    graph, codes = model.subgraphs[0], model.operatorCodes
    builtin = flatbuffer_utils.schema_fb.BuiltinOperator
    kinds = [codes[x.opcodeIndex].builtinCode for x in graph.operators]
    split = kinds.index(builtin.SPLIT)
    kernels = 0
    for number, (kind, operator) in enumerate(zip(kinds, graph.operators, strict=True)):
        tensors = [graph.tensors[i] for i in operator.inputs if i >= 0]
        int8 = flatbuffer_utils.schema_fb.TensorType.INT8
        if number > split:
            assert all(x.type != int8 for x in tensors)
        elif kind in (builtin.CONV_2D, builtin.DEPTHWISE_CONV_2D):
            assert tensors[0].type == tensors[1].type == int8
            channels = tensors[1].shape[3 if kind == builtin.DEPTHWISE_CONV_2D else 0]
            assert len(tensors[1].quantization.scale) == channels
            kernels += 1
    assert kernels == 50


@pytest.mark.parametrize("variant", CONVERTED)
def test_metadata_is_a_zip_behind_the_model(exported, variant):
    batch = BATCHES_OF[variant][-1]
    path = exported / file_name("verify", variant, batch)
    with zipfile.ZipFile(path) as archive:
        assert archive.namelist() == ["xcos.json"]
        about = json.loads(archive.read("xcos.json"))
    assert about == ModelFile.read(path).metadata
    assert path.read_bytes()[4:8] == b"TFL3"
    folder = find_preset("xcos-mobilefacenet-2")
    measured = json.loads((folder / "tflite-thresholds.json").read_text())
    assert about["format"] == 1
    assert (about["model"], about["variant"], about["batch"]) == ("verify", variant, batch)
    assert about["preset"] == "xcos-mobilefacenet-2"
    assert about["preset_sha256"] == read_config(folder)["weights"]["sha256"]
    assert about["attention"] == "learned"
    assert about["thresholds"] == measured["variants"][variant]
    assert about["thresholds_measured"].startswith(f"{variant}: measured on 500,000 impostor pairs")
    assert about["inputs"][0]["range"] == [0, 255]
    assert "(x − 127.5) / 128" in about["inputs"][0]["normalisation"]


def test_each_variant_has_its_own_threshold(exported):
    files = (file_name("embed", variant, BATCHES_OF[variant][0]) for variant in CONVERTED)
    at = {ModelFile.read(exported / name).metadata["thresholds"]["0.001"] for name in files}
    assert len(at) == len(CONVERTED)
