"""TF Serving's two JSON forms of a prediction, and bytes in them as base64."""

import base64
import json
from collections.abc import Mapping

import numpy as np

from xcos_tf.serving.signatures import OUTPUTS


def encode_request(signature: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    """Return the body of a prediction's request.

    Images in bytes go by rows ("instances"), which is how TF Serving documents them; tensors by
    columns ("inputs"), the only form for inputs of different lengths.

    Args:
        signature: the signature's name.
        inputs: arrays by name; those of dtype object hold bytes.
    """
    body: dict = {"signature_name": signature}
    if all(value.dtype == object for value in inputs.values()):
        rows = zip(*inputs.values(), strict=True)
        body["instances"] = [dict(zip(inputs, map(_base64, row), strict=True)) for row in rows]
    else:
        body["inputs"] = {name: value.tolist() for name, value in inputs.items()}
    return json.dumps(body, separators=(",", ":")).encode()


def decode_answer(signature: str, document) -> dict[str, np.ndarray]:
    """Return the outputs in a parsed answer, by rows or columns.

    A signature with a single output has it without its name. Numbers become what the signature
    says, float32 or bool; outputs that it does not name are left out.

    Raises:
        ValueError: the document is no answer of TF Serving to this signature.
    """
    expected = OUTPUTS[signature]
    if not isinstance(document, dict):
        raise ValueError("no JSON object")
    if "outputs" in document:
        columns = document["outputs"]
    elif "predictions" in document:
        rows = document["predictions"]
        if rows and isinstance(rows[0], dict):
            columns = {name: [row[name] for row in rows if name in row] for name in rows[0]}
        else:
            columns = rows
    else:
        raise ValueError("neither 'outputs' nor 'predictions'")
    if not isinstance(columns, dict):
        columns = {next(iter(expected)): columns}
    with np.errstate(all="ignore"):  # `check_outputs` refuses what is not finite
        return {
            name: np.asarray(columns[name], dtype)
            for name, (dtype, _) in expected.items()
            if name in columns
        }


def _base64(value: bytes) -> dict[str, str]:
    return {"b64": base64.b64encode(value).decode("ascii")}
