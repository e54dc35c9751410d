import collections
import gzip
import json
import shutil

import numpy as np
import pytest
import tensorflow as tf

from tests.export.compression.conftest import PRESET
from xcos_tf.errors import XcosError
from xcos_tf.export.tflite.export import model_maker
from xcos_tf.models.presets import find_preset, load_preset
from xcos_tf.verifier import Verifier

pytestmark = pytest.mark.slow

# Of the same cell's feature in a variant and in the float preset: the least mean cosine.
LEAST_COSINE = {"pruned": 0.9, "clustered": 0.95, "qat": 0.97}
MOST_PACKED = {"pruned": 2.2e6, "clustered": 1.5e6, "qat": 1.1e6}


@pytest.fixture(scope="module")
def portraits(photos):
    verifier = Verifier.from_preset(PRESET)
    templates = [verifier.enroll(photos / f"{x}.jpg") for x in ("obama", "obama2", "biden")]
    return verifier, templates


@pytest.fixture(scope="module")
def models():
    made = {}
    for variant in LEAST_COSINE:
        make = maker(PRESET, variant)
        made |= {(variant, model, None): make(model, None) for model in ("embed", "verify")}
    return made


def maker(preset, variant):
    return model_maker(load_preset(preset), variant)


def run(content, **inputs):
    outputs = tf.lite.Interpreter(model_content=content).get_signature_runner()(**inputs)
    return {name: np.array(value) for name, value in outputs.items()}


@pytest.mark.parametrize("variant", LEAST_COSINE)
def test_the_grid_is_nearly_the_float_ones(models, portraits, variant):
    _, templates = portraits
    faces = np.stack([template.face for template in templates])
    grids = run(models[variant, "embed", None], image=faces)["grid"]
    true = np.stack([template.feature for template in templates])
    assert grids.shape == true.shape and grids.dtype == np.float32
    lengths = np.linalg.norm(grids, axis=-1) * np.linalg.norm(true, axis=-1)
    cosine = (grids * true).sum(axis=-1) / lengths
    assert LEAST_COSINE[variant] < cosine.mean() < 0.99999


@pytest.mark.parametrize("variant", LEAST_COSINE)
def test_pairs_are_judged_as_the_float_preset_does(models, portraits, variant):
    verifier, (obama, obama2, biden) = portraits
    first, second = (obama, obama), (obama2, biden)
    inputs = {"image_a": np.stack([x.face for x in first]), "image_b": [x.face for x in second]}
    found = run(models[variant, "verify", None], **{k: np.stack(v) for k, v in inputs.items()})
    features = [np.stack([x.feature for x in side]) for side in (first, second)]
    true = verifier.explain_pairs(*features)
    np.testing.assert_allclose(found["xcos"], true["xcos"], atol=0.08)
    apart = np.sqrt(np.mean((found["similarity_map"] - true["similarity_map"]) ** 2))
    assert apart < 0.12
    np.testing.assert_allclose(found["attention_map"].sum(axis=(1, 2)), 1, atol=1e-5)
    threshold = verifier.threshold()
    assert found["xcos"][0] > threshold > found["xcos"][1]


@pytest.mark.parametrize("variant", LEAST_COSINE)
def test_files_pack_well(models, variant):
    assert len(gzip.compress(models[variant, "embed", None])) < MOST_PACKED[variant]
    if variant == "qat":
        assert len(models[variant, "verify", None]) < 2.7e6


def test_no_convolution_of_the_int8_grid_is_left_in_float(models):
    kinds = collections.Counter()
    interpreter = tf.lite.Interpreter(
        model_content=models["qat", "embed", None],
        experimental_op_resolver_type=tf.lite.experimental.OpResolverType.BUILTIN_REF,
    )
    tensors = {x["index"]: np.dtype(x["dtype"]).name for x in interpreter.get_tensor_details()}
    for operation in interpreter._get_ops_details():
        inputs = tuple(tensors[i] for i in operation["inputs"] if i >= 0)
        kinds[operation["op_name"], inputs] += 1
    assert kinds["CONV_2D", ("int8", "int8", "int32")] == 34
    assert kinds["DEPTHWISE_CONV_2D", ("int8", "int8", "int32")] == 16
    assert sum(n for (name, _), n in kinds.items() if "CONV" in name) == 50
    # Pixels on the way in, and the last products and sums on the way out.
    assert sum(n for (_, inputs), n in kinds.items() if "float32" in inputs) <= 6
    (image,) = interpreter.get_input_details()
    assert image["dtype"] == np.uint8


def test_a_batch_of_one_gives_the_same(models, portraits):
    face = portraits[1][0].face[np.newaxis]
    one = run(maker(PRESET, "qat")("embed", 1), image=face)["grid"]
    np.testing.assert_array_equal(one, run(models["qat", "embed", None], image=face)["grid"])


def test_a_preset_without_compressed_weights(tmp_path):
    with pytest.raises(XcosError, match="'xcos-mobilefacenet-occlusion' has no qat weights"):
        maker("xcos-mobilefacenet-occlusion", "qat")
    copy = tmp_path / "preset"
    shutil.copytree(find_preset(PRESET), copy)
    record = json.loads((copy / "compressed" / "record.json").read_text())
    record["qat"]["preset_sha256"] = "0" * 64
    (copy / "compressed" / "record.json").write_text(json.dumps(record))
    with pytest.raises(XcosError, match="made from other weights"):
        maker(str(copy), "qat")
