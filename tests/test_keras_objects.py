"""A model that was saved loads in a new process that has imported the package and no more."""

import subprocess
import sys

import numpy as np
import pytest
from tensorflow import keras

from tests.training.small import small_network
from xcos_tf.keras_objects import HOMES
from xcos_tf.models.heads import grid_head
from xcos_tf.models.margins import ArcFaceHead, CosFaceHead

LOAD = """
import sys
for name in sys.argv[3:]:
    __import__(name)
import numpy as np
assert "tensorflow" in sys.argv[3:4] or "keras" in sys.argv[3:4] or "tensorflow" not in sys.modules
from tensorflow import keras
model = keras.models.load_model(sys.argv[1])
images = np.load(sys.argv[2])
np.savez(sys.argv[2] + ".out", **model.predict([images, images[::-1]], verbose=0))
assert (type(model).__module__, type(model).__name__) == ("xcos_tf.models.network", "XCos")

import importlib, pkgutil, xcos_tf
for module in pkgutil.walk_packages(xcos_tf.__path__, "xcos_tf."):
    if module.name.startswith(("xcos_tf.models", "xcos_tf.training", "xcos_tf.data")):
        importlib.import_module(module.name)
for name, known in keras.utils.get_custom_objects().items():
    if name.startswith("xcos_tf>"):
        print(name, known.__module__)
"""


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("saved")
    network = small_network()
    images = np.random.default_rng(1).normal(size=(4, 8, 8, 3)).astype(np.float32)
    network.save(folder / "x.keras")
    np.save(folder / "images.npy", images)
    return folder, network.predict([images, images[::-1]], verbose=0)


@pytest.mark.parametrize(
    "first",
    [
        ["xcos_tf"],
        pytest.param(["tensorflow", "xcos_tf"], marks=pytest.mark.slow),
        pytest.param(["keras", "xcos_tf"], marks=pytest.mark.slow),
    ],
)
def test_a_new_process_loads_a_network(saved, first):
    folder, expected = saved
    paths = [str(folder / "x.keras"), str(folder / "images.npy")]
    run = subprocess.run(
        [sys.executable, "-c", LOAD, *paths, *first], capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    found = np.load(folder / "images.npy.out.npz")
    assert set(found) == {"xcos", "similarity_map", "attention_map"}
    for name, value in expected.items():
        np.testing.assert_allclose(found[name], value, atol=1e-6)
    # Every class of ours that Keras knows is announced. A stand-in's module is
    # `xcos_tf.keras_objects`.
    lines = sorted(line.split() for line in run.stdout.splitlines())
    assert lines == sorted([f"xcos_tf>{name}", home] for name, home in HOMES.items())


@pytest.mark.parametrize("layer", [ArcFaceHead(5, margin=0.3), CosFaceHead(5, scale=30.0)])
def test_margin_heads_come_back_from_their_configuration(layer):
    again = keras.layers.deserialize(keras.layers.serialize(layer))
    assert type(again) is type(layer)
    assert again.get_config() == layer.get_config()


def test_a_grid_head_loads(tmp_path, random):
    head = grid_head((3, 3, 5), 4, cell_affine=True)
    head.save(tmp_path / "head.keras")
    x = random.normal(size=(2, 3, 3, 5)).astype(np.float32)
    again = keras.models.load_model(tmp_path / "head.keras")
    np.testing.assert_array_equal(again(x), head(x))
