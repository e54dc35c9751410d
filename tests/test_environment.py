"""Whatever a process or its environment is set for, presets compute the same, or say why not."""

import json
import os
import subprocess
import sys

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from xcos_tf.drawing import default_look
from xcos_tf.environment import default_settings
from xcos_tf.errors import XcosError
from xcos_tf.verifier import Verifier

HOSTILE_KERAS = {
    "floatx": "float16",
    "epsilon": 0.5,
    "backend": "torch",
    "image_data_format": "channels_first",
}
LOOK = "text.usetex: True\nfont.size: 30\nsavefig.bbox: tight\nsvg.fonttype: none\n"

CHANGED = """
import json, sys, warnings
import numpy as np
import tensorflow as tf
from tensorflow import keras

def change(policy):
    keras.backend.set_floatx("float64")
    keras.backend.set_epsilon(0.5)
    keras.backend.set_image_data_format("channels_first")
    keras.mixed_precision.set_global_policy(policy)
    tf.config.run_functions_eagerly(True)
    np.seterr(all="raise")
    warnings.simplefilter("error")

change("mixed_bfloat16")
from xcos_tf import Verifier
explained = Verifier.from_preset(runtime="tensorflow")
plain = Verifier.from_preset("mobilefacenet", runtime="tensorflow")
change("mixed_float16")
result = explained.verify(sys.argv[1], sys.argv[2])
faces = [plain.enroll(t.face, aligned=True) for t in (result.template_a, result.template_b)]
pair = result.template_a, result.template_b
scores = [explained.compare(*pair, x)[0, 0] for x in explained.attentions]
assert keras.backend.floatx() == "float64" and keras.backend.epsilon() == 0.5
assert keras.backend.image_data_format() == "channels_first"
assert getattr(keras.mixed_precision.global_policy(), "name") == "mixed_float16"
dtypes = {str(x.dtype) for x in (result.template_a.feature, faces[0].feature, result.attention_map)}
assert dtypes == {"float32"}, dtypes
print(json.dumps([result.score, *map(float, scores), float(plain.compare(*faces)[0, 0])]))
"""


def python(*arguments, code=0, **environment):
    """Run Python; returns its standard output and error."""
    run = subprocess.run(
        [sys.executable, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
        env=os.environ | environment,
    )
    assert run.returncode == code, run.stderr
    return run.stdout, run.stderr


@pytest.fixture(scope="module")
def pair(photos):
    return photos / "obama.jpg", photos / "obama2.jpg"


@pytest.fixture(scope="module")
def verifier():
    return Verifier.from_preset(runtime="tensorflow")


@pytest.fixture(scope="module")
def result(verifier, pair):
    return verifier.verify(*pair)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory):
    """A home of Keras, and a folder to work in, whose files are set for anything but this."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / "keras.json").write_text(json.dumps(HOSTILE_KERAS))
    (folder / "matplotlibrc").write_text(LOOK)
    return folder


def test_a_command_does_not_care_for_the_environment(pair, result, hostile, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    monkeypatch.chdir(hostile)
    command = ["-m", "xcos_tf.cli.main", "verify", *pair, "--explain", "picture.svg", "--json"]
    output, _ = python(
        *command,
        KERAS_HOME=str(hostile),
        KERAS_BACKEND="torch",
        KERAS_NNX_ENABLED="true",
        MPLBACKEND="module://matplotlib_inline.backend_inline_of_nobody",
        TF2_BEHAVIOR="0",
    )
    answer = json.loads(output)
    score = next(answer[key] for key in ("score", "xcos") if key in answer)
    assert score == pytest.approx(result.score, abs=1e-6)
    assert "<text" not in (hostile / "picture.svg").read_text()  # letters are shapes


@pytest.mark.slow
def test_a_process_does_not_care_for_its_settings(pair, verifier, result, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    output, _ = python("-c", CHANGED, *pair)
    templates = result.template_a, result.template_b
    plain = Verifier.from_preset("mobilefacenet", runtime="tensorflow")
    faces = [plain.enroll(template.face, aligned=True) for template in templates]
    scores = [verifier.compare(*templates, x)[0, 0] for x in verifier.attentions]
    expected = [result.score, *scores, plain.compare(*faces)[0, 0]]
    np.testing.assert_allclose(json.loads(output), expected, atol=1e-6)


OF_ANOTHER_BACK_END = """
import importlib
from xcos_tf.errors import XcosError
for module in ("xcos_tf.runtime.keras", "xcos_tf.models.network", "xcos_tf.models.presets"):
    try:
        importlib.import_module(module)
    except XcosError as error:
        print(error)
"""


def test_another_back_end_of_keras_is_named(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    output, _ = python("-c", OF_ANOTHER_BACK_END, KERAS_BACKEND="jax")
    if keras.__version__.startswith("2."):  # which has TensorFlow alone
        assert output == ""
    else:
        assert output.count("unset KERAS_BACKEND") == output.count("\n") == 3


def test_a_back_end_of_matplotlib_that_is_missing_is_named(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    program = "from xcos_tf import XcosError\ntry: from xcos_tf import XCos\n"
    program += "except XcosError as error: print(error)"
    output, _ = python("-c", program, MPLBACKEND="module://nobody.has.this")
    # Not every version of Keras loads matplotlib, and not every one of that refuses.
    assert output == "" or ("MPLBACKEND" in output and output.count("\n") == 1)


def test_settings_end_with_their_block():
    before = keras.mixed_precision.global_policy()
    keras.backend.set_image_data_format("channels_first")
    try:
        with pytest.raises(ZeroDivisionError), default_settings("mixed_bfloat16"):
            assert keras.layers.Dense(1).compute_dtype == "bfloat16"
            assert keras.layers.Conv2D(1, 1).data_format == "channels_last"
            with default_settings():
                assert keras.layers.Dense(1).compute_dtype == "float32"
            raise ZeroDivisionError
        assert keras.backend.image_data_format() == "channels_first"
    finally:
        keras.backend.set_image_data_format("channels_last")
    assert keras.mixed_precision.global_policy().name == before.name
    assert keras.layers.Dense(1).compute_dtype == "float32"


def test_within_a_graph_one_sentence_says_so(verifier, result):
    with tf.Graph().as_default():
        for ask in (
            lambda: verifier.embed(result.template_a.face[np.newaxis]),
            lambda: verifier.verify(result.template_a, result.template_b),
            lambda: Verifier.from_preset("mobilefacenet", runtime="tensorflow"),
        ):
            with pytest.raises(XcosError, match="eager execution is off here"):
                ask()


def test_figures_do_not_care_for_settings():
    import matplotlib

    with matplotlib.rc_context({"text.usetex": True, "font.size": 30}):
        with default_look({"svg.fonttype": "path"}):
            assert matplotlib.rcParams["font.size"] == 10
            assert not matplotlib.rcParams["text.usetex"]
            assert matplotlib.rcParams["svg.fonttype"] == "path"
        assert matplotlib.rcParams["font.size"] == 30


FORKED = """
import os, sys
import numpy as np
from xcos_tf import Verifier, XcosError

faces = np.zeros((4, 112, 112, 3), np.uint8)
child = os.fork()  # both of them load their own
verifier = Verifier.from_preset("mobilefacenet", runtime="tensorflow")
print(verifier.embed(faces).shape, flush=True)
if not child:
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
template = verifier.enroll(faces[0], aligned=True)

def in_a_fork(ask):
    if not (child := os.fork()):
        try:
            ask()
        except XcosError as error:
            print(error, flush=True)
        os._exit(0)
    os.waitpid(child, 0)

in_a_fork(lambda: verifier.embed(faces))
in_a_fork(lambda: verifier.enroll(faces[0], aligned=True))
in_a_fork(lambda: Verifier.from_preset("mobilefacenet", runtime="tensorflow"))
in_a_fork(lambda: print("compared", verifier.compare(template, template).shape, flush=True))
assert verifier.embed(faces).shape == (4, 192)
"""


def test_a_fork_that_loads_its_own_computes_and_another_is_told_to(monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
    output, _ = python("-W", "ignore", "-c", FORKED)
    first, second, *refused, compared = output.splitlines()
    assert first == second == "(4, 192)"
    assert len(refused) == 3
    for line in refused:
        assert "was forked" in line and "load the preset in the worker itself" in line
    assert compared == "compared (1, 1)"  # by NumPy alone
