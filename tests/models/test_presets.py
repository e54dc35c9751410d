import json

import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.models import presets
from xcos_tf.models.builder import build_network

MODEL = {
    "backbone": {"kind": "mobilefacenet", "batch_norm": False, "input_size": 32},
    "xcos": {"channels": 4, "cell_affine": True, "batch_norm": False},
}
CONFIG = {"name": "tiny", "model": MODEL, "thresholds": {"learned": {"0.001": 0.5}}}


@pytest.fixture
def folder(tmp_path):
    presets.save_preset(tmp_path / "tiny", CONFIG, build_network(MODEL))
    return tmp_path / "tiny"


def edit(folder, **changes):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, **changes}))


def test_round_trip(folder, random):
    loaded = presets.load_preset(folder)
    again = presets.load_preset(folder)
    images = random.uniform(-1, 1, (2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(loaded.network.grid(images), again.network.grid(images))
    assert loaded.config["thresholds"] == CONFIG["thresholds"]
    assert loaded.config["format"] == presets.FORMAT


def test_saving_again_replaces_and_leaves_nothing_else(folder):
    presets.save_preset(folder, {**CONFIG, "licence": "x"}, build_network(MODEL))
    assert presets.load_preset(folder).config["licence"] == "x"
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]


def test_bundled_presets_are_found_by_name():
    assert "mobilefacenet" in presets.bundled_presets()
    assert presets.find_preset("mobilefacenet").name == "mobilefacenet"


def test_unknown_preset_names_the_known_ones():
    with pytest.raises(XcosError, match=r"no preset 'nonesuch'.*mobilefacenet"):
        presets.load_preset("nonesuch")


def test_damaged_weights_are_refused(folder):
    path = folder / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    with pytest.raises(XcosError, match="damaged: its SHA-256"):
        presets.load_preset(folder)


def test_missing_weights_are_refused(folder):
    (folder / "weights.safetensors").unlink()
    with pytest.raises(XcosError, match="missing"):
        presets.load_preset(folder)


def test_newer_format_is_refused(folder):
    edit(folder, format=presets.FORMAT + 1)
    with pytest.raises(XcosError, match="upgrade xcos_tf"):
        presets.load_preset(folder)


@pytest.mark.parametrize("text", ["", "[1]", "{}", '{"format": 1}', '{"format": "1"}'])
def test_broken_configuration_is_one_sentence(folder, text):
    (folder / "config.json").write_text(text)
    with pytest.raises(XcosError, match="config"):
        presets.load_preset(folder)


def test_weights_may_not_lie_outside_the_folder(folder):
    config = json.loads((folder / "config.json").read_text())
    edit(folder, weights={**config["weights"], "file": "../tiny/weights.safetensors"})
    assert presets.load_preset(folder).config["name"] == "tiny"  # the name alone is used


def test_unknown_architecture_is_one_sentence(folder):
    edit(folder, model={"backbone": {"kind": "vgg"}, "xcos": {}})
    with pytest.raises(XcosError, match=r"describes no model.*'vgg'"):
        presets.load_preset(folder)


def test_bundled_presets_fit_in_15_megabytes():
    size = sum(path.stat().st_size for path in presets.BUNDLED.rglob("*") if path.is_file())
    assert 0 < size < 15e6
