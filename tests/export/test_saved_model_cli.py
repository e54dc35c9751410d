"""TensorFlow's own command runs each signature."""

import json
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf

from tests.export.conftest import SIGNATURES

ALL_OF_THEM = """
import json, sys
from tensorflow.python.tools.saved_model_cli import main
for arguments in json.loads(sys.argv[1]):
    sys.argv = ["saved_model_cli", *arguments]
    try:
        main()
    except SystemExit as stop:
        assert not stop.code, arguments
"""


@pytest.fixture(scope="module")
def inputs(expected):
    """{signature: {input: value}}."""
    faces = {"image_a": expected.faces_a, "image_b": expected.faces_b}
    encoded = {
        f"encoded_{side}": np.array([tf.io.encode_png(face).numpy() for face in faces])
        for side, faces in (("a", expected.faces_a), ("b", expected.faces_b))
    }
    return {
        "serving_default": faces,
        "verify": faces,
        "verify_encoded": encoded,
        "embed": {"image": expected.faces_a},
        "compare": {"grid_a": expected.grids_a, "grid_b": expected.grids_b},
        "compare_one_to_many": {"grid_a": expected.grids_a[:1], "grid_b": expected.grids_b[:1]},
    }


@pytest.fixture(scope="module")
def ran(inputs, version_folder, tmp_path_factory):
    """{signature: {output: value}} and what is shown of one, by one process.

    Starting takes the most time.
    """
    folder = tmp_path_factory.mktemp("cli")
    commands = []
    for signature in SIGNATURES:
        out = folder / signature
        out.mkdir()
        options = []
        for name, value in inputs[signature].items():
            np.save(out / f"in_{name}.npy", value)
            options.append(f"{name}={out / f'in_{name}.npy'}")
        commands.append(["run", "--dir", str(version_folder), "--tag_set", "serve"])
        commands[-1] += ["--signature_def", signature, "--inputs", ";".join(options)]
        commands[-1] += ["--outdir", str(out)]
    commands.append(["show", "--dir", str(version_folder), "--tag_set", "serve"])
    commands[-1] += ["--signature_def", "verify_encoded"]
    run = subprocess.run(
        [sys.executable, "-c", ALL_OF_THEM, json.dumps(commands)], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    answers = {
        signature: {
            path.stem: np.load(path)
            for path in (folder / signature).glob("*.npy")
            if not path.name.startswith("in_")
        }
        for signature in SIGNATURES
    }
    return answers, run.stdout


@pytest.mark.parametrize("signature", SIGNATURES)
def test_it_computes_what_the_verifier_does(signature, ran, expected):
    answers, _ = ran
    wanted = dict(expected.answers)
    if signature == "embed":
        wanted = {"grid": expected.grids_a}
    elif signature == "verify_encoded":
        wanted |= {"valid_a": np.ones(3, bool), "valid_b": np.ones(3, bool)}
    elif signature == "compare_one_to_many":
        wanted = {name: value[:1] for name, value in wanted.items()}
    assert answers[signature].keys() == wanted.keys()
    for name, value in wanted.items():
        np.testing.assert_allclose(answers[signature][name], value, rtol=0, atol=1e-5)


def test_it_shows_types_and_shapes(ran):
    shown = " ".join(ran[1].split())
    for words in (
        "inputs['encoded_a'] tensor_info: dtype: DT_STRING shape: (-1)",
        "outputs['attention_map'] tensor_info: dtype: DT_FLOAT shape: (-1, 7, 7)",
        "outputs['same'] tensor_info: dtype: DT_BOOL shape: (-1)",
        "outputs['similarity_map'] tensor_info: dtype: DT_FLOAT shape: (-1, 7, 7)",
        "outputs['valid_b'] tensor_info: dtype: DT_BOOL shape: (-1)",
        "outputs['xcos'] tensor_info: dtype: DT_FLOAT shape: (-1)",
    ):
        assert words in shown
