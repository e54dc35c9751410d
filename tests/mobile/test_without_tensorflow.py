"""The phone's verifier and `xcos unlock` work where TensorFlow and Keras are not installed."""

import json
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from tests.bare_environment import make_environment, run_bare
from xcos_tf.export.tflite.int8 import SHIPPED

OBAMA, OBAMA2, BIDEN = (str(SHIPPED / f"{name}.png") for name in ("obama", "obama2", "biden"))
PASSPHRASE = {"XCOS_PASSPHRASE": "correct horse"}
HEAVY = ("tensorflow", "keras", "tf_keras", "mtcnn", "scipy", "matplotlib", "h5py", "ruamel")

ABSENT = f"""
from importlib.util import find_spec
found = [name for name in {HEAVY!r} if find_spec(name)]
assert not found, found
"""
FIRST_ANSWER = """
import sys, time
start = time.perf_counter()
import numpy as np
from xcos_tf.data.photo import read_photo
from xcos_tf.verifier import Verifier
verifier = Verifier.from_export(sys.argv[1])
grids = verifier.embed(np.stack([read_photo(path) for path in sys.argv[2:]]))
print(time.perf_counter() - start, verifier.compare_pairs(grids[:1], grids[1:])[0])
"""
EVERY_MODULE = """
import importlib, pkgutil
import xcos_tf.mobile, xcos_tf.runtime
for module in pkgutil.iter_modules(xcos_tf.mobile.__path__, "xcos_tf.mobile."):
    importlib.import_module(module.name)
for module in pkgutil.iter_modules(xcos_tf.runtime.__path__, "xcos_tf.runtime."):
    if module.name != "xcos_tf.runtime.keras":
        importlib.import_module(module.name)
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory):
    return make_environment(tmp_path_factory.mktemp("bare") / "environment")


@pytest.fixture(scope="module")
def unlock(python):
    """Run `xcos unlock` there; returns the exit code, what it printed, and its error."""

    def run(*arguments):
        command = ["-m", "xcos_tf.cli.main", "unlock", *map(str, arguments)]
        done = run_bare(python, *command, **PASSPHRASE)
        return done.returncode, done.stdout, done.stderr

    return run


def test_there_is_no_tensorflow(python):
    done = run_bare(python, "-c", ABSENT)
    assert (done.returncode, done.stderr) == (0, "")


def test_every_module_imports(python):
    done = run_bare(python, "-c", EVERY_MODULE)
    assert (done.returncode, done.stderr) == (0, "")


def test_first_answer_of_a_fresh_process(python, lite_models, lite, portraits, capsys):
    """Half a second is claimed; a machine that is busy with other tests gets longer."""
    runs = [run_bare(python, "-c", FIRST_ANSWER, lite_models, OBAMA, OBAMA2) for _ in range(3)]
    seconds, scores = zip(*(map(float, done.stdout.split()) for done in runs), strict=True)
    with capsys.disabled():
        print(f" [first answer after {min(seconds):.2f} s]", end="")
    assert min(seconds) < 2
    grids = lite.embed(np.stack([portraits["obama"], portraits["obama2"]]))
    np.testing.assert_allclose(scores, lite.compare_pairs(grids[:1], grids[1:])[0], atol=1e-6)


def test_enroll_and_try_from_process_to_process(unlock, lite_models, tmp_path):
    store = ("--store", tmp_path / "store", "--aligned")
    code, out, err = unlock("enroll", OBAMA, *store, "--models", lite_models)
    assert (code, err) == (0, "")
    assert out.startswith(f"enrolled 1 photo in {tmp_path / 'store'}")

    code, out, err = unlock("try", OBAMA2, *store)
    assert (code, err) == (0, "")
    assert out.startswith("unlocked: 1 of 1 frames match, 1 must (best xCos 0.")

    for failures in (1, 2, 3):
        code, out, err = unlock("try", BIDEN, *store, "--json")
        assert (code, err) == (1, "")
        assert json.loads(out)["failures"] == failures
    code, out, err = unlock("try", OBAMA2, *store)  # the owner has to wait, too
    assert (code, err) == (3, "")
    assert out.startswith("too early after the last failure: wait ")
    assert 1 <= int(out.split()[-2]) <= 30


def test_tries_at_the_same_time_are_all_counted(unlock, lite_models, tmp_path):
    store = ("--store", tmp_path / "store", "--aligned")
    assert unlock("enroll", OBAMA, *store, "--models", lite_models)[0] == 0
    with ThreadPoolExecutor(5) as pool:
        codes = pool.map(lambda _: unlock("try", BIDEN, *store)[0], range(5))
    assert sorted(codes) == [1, 1, 1, 3, 3]


def test_whole_photos(unlock, photos, tmp_path):
    """From what a camera gives to the decision, with the files that ship."""
    store = ("--store", tmp_path / "store")
    assert unlock("enroll", photos / "obama.jpg", *store)[0::2] == (0, "")
    code, out, err = unlock("try", photos / "obama2.jpg", *store)
    assert (code, err) == (0, "") and out.startswith("unlocked: 1 of 1 frames match")
    code, out, err = unlock("try", photos / "biden.jpg", *store)
    assert (code, err) == (1, "") and "look straight at the camera" in out


def test_the_models_that_ship_and_others(unlock, tmp_path):
    store = ("--store", tmp_path / "store", "--aligned")
    code, out, err = unlock("enroll", OBAMA, *store, "--variant", "float16")
    assert (code, out) == (2, "")
    assert err.startswith("xcos unlock: error: this needs TensorFlow, which is not installed (")
    assert list(tmp_path.iterdir()) == []
    assert unlock("enroll", OBAMA, *store)[0] == 0
    assert unlock("try", OBAMA2, *store)[0] == 0
