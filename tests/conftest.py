"""Shared fixtures."""

import fcntl
import os
import secrets
import shutil
import sys
from importlib.metadata import version
from pathlib import Path
from random import Random

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import pytest

PHOTOS = Path(__file__).parent / "photos"


def pytest_addoption(parser):
    parser.addoption(
        "--addons", action="store_true", help="run what needs tensorflow-addons, and insist on it"
    )


def pytest_configure(config):
    config.addinivalue_line("markers", "addons: needs tensorflow-addons; run by --addons alone")
    config.addinivalue_line(
        "markers", "slow: long, and quicker ones cover most of it; by -m slow alone"
    )
    config.addinivalue_line("markers", "both_stacks: slow, and run on the addons stack too")
    # Otherwise the tests that both stacks share would pass on the wrong one.
    if config.getoption("addons") and not version("tensorflow").startswith("2.15."):
        raise pytest.UsageError(f"--addons is for TensorFlow 2.15, not {version('tensorflow')}")


def pytest_collection_modifyitems(items):
    """Put what takes long first, so that no worker waits for it in the end."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_runtest_setup(item):
    if item.get_closest_marker("addons") and not item.config.getoption("addons"):
        pytest.skip("needs tensorflow-addons and --addons")


def _process_settings() -> dict:
    from xcos_tf.quiet import _OWN_SETTINGS

    # Others are set by libraries when a test is the first to import them; and a command's own stay
    # when a test is the first to run one in this process.
    ours = ("KERAS", "MPL", "PYTHON", "TF_", "XCOS")
    found = {
        name: value
        for name, value in os.environ.items()
        if name.startswith(ours) and _OWN_SETTINGS.get(name) != value
    }
    keras = sys.modules.get("keras")
    policy = keras.mixed_precision.global_policy().name if keras else "float32"
    return found | {"the working directory": os.getcwd(), "Keras's policy": policy}


@pytest.fixture(scope="module", autouse=True)
def process_left_as_it_was():
    """Whatever the tests of a file change in the process, those of the next one would meet."""
    before = _process_settings()
    yield
    after = _process_settings()
    changed = {k for k in before | after if before.get(k) != after.get(k)}
    assert not changed, f"these tests left other settings behind them: {sorted(changed)}"


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(20211)


@pytest.fixture
def chance() -> Random:
    """Draws that differ from run to run, for moments to kill at.

    The seed is printed, so that a failure says how to draw the same again.
    """
    seed = os.environ.get("XCOS_TEST_SEED", secrets.randbits(32))
    print(f"to draw the same again, set XCOS_TEST_SEED={seed}")
    return Random(int(seed))


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of sample photos."""
    return PHOTOS


@pytest.fixture(scope="session")
def chrome() -> str:
    """The path of a Chromium."""
    found = os.environ.get("CHROME") or shutil.which("chromium") or shutil.which("google-chrome")
    if not found:
        sentence = (
            "no browser was found; install chromium (apt-get install chromium) or give the path "
            "of a Chromium in the environment variable CHROME"
        )
        if os.environ.get("CI"):
            pytest.fail(sentence)
        pytest.skip(sentence)
    return found


@pytest.fixture(scope="session")
def make_once(tmp_path_factory):
    """Give a folder's path to a function that fills it, once for all workers.

    `make_once(name, make)` returns the folder, which is not to be changed. Whoever comes while
    another worker makes it waits.
    """
    base = tmp_path_factory.getbasetemp()
    shared = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base

    def once(name, make) -> Path:
        folder, made = shared / name, shared / f"{name}.made"
        with open(shared / f"{name}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not made.exists():
                shutil.rmtree(folder, ignore_errors=True)  # if making it has failed before
                folder.mkdir()
                make(folder)
                made.touch()
        return folder

    return once


def export_default(folder, *options):
    from xcos_tf.cli.main import main

    assert main(["export", "xcos-mobilefacenet-2", str(folder), *options]) == 0


@pytest.fixture(scope="session")
def served_folder(make_once) -> Path:
    """A folder with the default preset's SavedModel, by the command; made once, not to be changed.

    It holds xcos-mobilefacenet-2/1 and the files beside it.
    """
    return make_once("export", lambda x: export_default(x, "--to", "saved-model")) / "serving"


@pytest.fixture(scope="session")
def lite_models(make_once) -> Path:
    """A folder with the default preset's float32 TFLite files; made once, not to be changed."""
    options = ("--to", "tflite", "--variants", "float32")
    return make_once("lite", lambda x: export_default(x, *options)) / "tflite"


@pytest.fixture(scope="session")
def _load_once():
    from functools import cache

    from xcos_tf.verifier import Verifier

    return cache(Verifier.from_preset)


@pytest.fixture
def loaded_once(_load_once, monkeypatch):
    """Load each bundled preset once for all tests: most of a test's time may go into that."""
    from xcos_tf.models.preset_folder import bundled_presets
    from xcos_tf.verifier import Verifier

    load, bundled = Verifier.from_preset, bundled_presets()

    def from_preset(name, *options):
        return _load_once(name) if name in bundled and not options else load(name, *options)

    monkeypatch.setattr(Verifier, "from_preset", from_preset)


@pytest.fixture(scope="session")
def lite(lite_models):
    """The verifier of those files."""
    from xcos_tf.verifier import Verifier

    return Verifier.from_export(lite_models)


@pytest.fixture(scope="session")
def portraits() -> dict[str, np.ndarray]:
    """{name: uint8 (112, 112, 3)}: obama and obama2, who are one, and biden."""
    from xcos_tf.data.photo import read_photo
    from xcos_tf.export.tflite.int8 import SHIPPED

    return {path.stem: read_photo(path) for path in SHIPPED.glob("*.png")}
