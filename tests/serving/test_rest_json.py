"""TF Serving's JSON, as its documentation of the REST API shows it."""

import base64
import json

import numpy as np
import pytest

from xcos_tf.serving.rest_transport import decode_answer, encode_request


def test_tensors_go_by_columns(random):
    grids = {name: random.normal(size=(2, 1, 1, 3)).astype(np.float32) for name in ("a", "b")}
    document = json.loads(encode_request("compare", grids))
    assert document["signature_name"] == "compare"
    assert set(document) == {"signature_name", "inputs"}
    for name, grid in grids.items():
        np.testing.assert_array_equal(np.array(document["inputs"][name], np.float32), grid)


def test_bytes_go_by_rows():
    encoded = {"a": np.array([b"\x00\xff", b""], object), "b": np.array([b"x", b"y"], object)}
    document = json.loads(encode_request("verify_encoded", encoded))
    assert document == {
        "signature_name": "verify_encoded",
        "instances": [
            {"a": {"b64": "AP8="}, "b": {"b64": "eA=="}},
            {"a": {"b64": ""}, "b": {"b64": "eQ=="}},
        ],
    }
    assert base64.b64decode("AP8=") == b"\x00\xff"


COLUMNS = {
    "xcos": [0.5, -1],
    "same": [True, False],
    "similarity_map": [[[0.25]], [[1]]],
    "attention_map": [[[1]], [[1.0]]],
}
ROWS = [{name: values[i] for name, values in COLUMNS.items()} for i in (0, 1)]


@pytest.mark.parametrize("document", [{"outputs": COLUMNS}, {"predictions": ROWS}])
def test_both_forms_of_an_answer(document):
    answer = decode_answer("verify", {**document, "model_spec": {}})
    assert answer["xcos"].tolist() == [0.5, -1]
    assert answer["same"].tolist() == [True, False]
    assert answer["similarity_map"].shape == answer["attention_map"].shape == (2, 1, 1)
    assert answer["xcos"].dtype == answer["attention_map"].dtype == np.float32
    assert answer["same"].dtype == bool


@pytest.mark.parametrize("form", ["outputs", "predictions"])
def test_a_single_output_has_no_name(form):
    answer = decode_answer("embed", {form: [[[[1, 2]]], [[[3, 4]]]]})
    assert answer["grid"].tolist() == [[[[1, 2]]], [[[3, 4]]]]
    assert answer["grid"].dtype == np.float32


@pytest.mark.parametrize("document", [[], {}, {"outputs": {"xcos": "high"}}, "text"])
def test_no_answer(document):
    with pytest.raises(ValueError):
        decode_answer("verify", document)
