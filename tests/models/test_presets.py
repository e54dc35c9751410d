import json
import resource

import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.models import presets
from xcos_tf.models.builder import build_network
from xcos_tf.models.preset_folder import namesake

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
    np.testing.assert_array_equal(loaded.network.features(images), again.network.features(images))
    assert loaded.config["thresholds"] == CONFIG["thresholds"]
    assert loaded.config["format"] == presets.FORMAT


def test_saving_again_replaces_and_leaves_nothing_else(folder):
    presets.save_preset(folder, {**CONFIG, "licence": "x"}, build_network(MODEL))
    assert presets.load_preset(folder).config["licence"] == "x"
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]


def test_extras_are_written_with_it(folder):
    extras = {"note.txt": lambda path: path.write_text("x")}
    presets.save_preset(folder, CONFIG, build_network(MODEL), extras)
    assert (folder / "note.txt").read_text() == "x"

    def fail(path):
        raise OSError(28, "No space left on device")

    with pytest.raises(XcosError, match=r"cannot write the preset .*No space left"):
        presets.save_preset(folder, CONFIG, build_network(MODEL), {"note.txt": fail})
    assert (folder / "note.txt").read_text() == "x"
    assert [path.name for path in folder.parent.iterdir()] == ["tiny"]


def test_maps_are_written_row_by_row(folder):
    config = {**CONFIG, "map": [[0.1, -2e-05], [3, 4]], "texts": ["[\n1, 2]"]}
    presets.save_preset(folder, config, build_network(MODEL))
    assert "\n    [0.1, -2e-05],\n    [3, 4]\n" in (folder / "config.json").read_text()
    loaded = presets.read_config(folder)
    assert (loaded["map"], loaded["texts"]) == (config["map"], config["texts"])


def test_where_a_preset_may_be_written(folder, tmp_path):
    presets.check_writable(folder)
    presets.check_writable(tmp_path / "new" / "er")
    (tmp_path / "empty").mkdir()
    presets.check_writable(tmp_path / "empty")
    (folder / "note.txt").write_text("x")
    presets.check_writable(folder, ["note.txt"])
    for path, sentence in (
        (folder, r"holds other files \(note.txt\)"),
        (folder / "note.txt", "is a file; choose a folder"),
        (folder / "note.txt" / "new", "cannot be written; choose another folder"),
    ):
        with pytest.raises(XcosError, match=sentence):
            presets.check_writable(path)
    (tmp_path / "empty" / "config.json").write_text('{"name": "of something else"}')
    with pytest.raises(XcosError, match="is not a preset's configuration"):
        presets.check_writable(tmp_path / "empty")


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


ODD = (None, True, 3, -1.5, "x", "", [], [1], {}, {"a": 1}, [{}])


@pytest.mark.parametrize("key", ["format", "name", "model", "thresholds", "weights"])
def test_sections_of_odd_types_are_one_sentence(folder, key):
    good = json.loads((folder / "config.json").read_text())
    for odd in ODD:
        if type(odd) is type(good[key]) and odd not in ("", []):
            continue
        edit(folder, **{**good, key: odd})
        with pytest.raises(XcosError, match=r"config\.json"):
            presets.read_config(folder)


@pytest.mark.parametrize("threshold", [float("nan"), float("inf"), None, "0.5", [0.5], {}, True])
def test_a_threshold_that_is_no_number_is_one_sentence(folder, threshold):
    edit(folder, thresholds={"learned": {"0.001": threshold}})
    with pytest.raises(XcosError, match=r"no proper thresholds|not finite"):
        presets.load_preset(folder)


@pytest.mark.parametrize("rates", [{"often": 0.5}, {"0": 0.5}, {"nan": 0.5}, [0.5], 0.5, None])
def test_rates_that_are_none_are_one_sentence(folder, rates):
    edit(folder, thresholds={"learned": rates})
    with pytest.raises(XcosError, match=r"thresholds(\.| of ')learned"):
        presets.load_preset(folder)


@pytest.mark.parametrize(
    "file, sha256", [(3, "a"), ("", "a"), ("..", "a"), ("a\0b", "a"), ("w", 3), (None, None)]
)
def test_weights_that_are_none_are_one_sentence(folder, file, sha256):
    edit(folder, weights={"file": file, "sha256": sha256})
    with pytest.raises(XcosError, match="weights"):
        presets.load_preset(folder)


XCOS = MODEL["xcos"]


@pytest.mark.parametrize(
    "model",
    [
        {**MODEL, "xcos": {**XCOS, "channels": 10**6}},
        {**MODEL, "xcos": {**XCOS, "channels": 10**300}},
        {**MODEL, "xcos": {**XCOS, "channels": 16_000}},
        {**MODEL, "xcos": {**XCOS, "channels": -4}},
        {**MODEL, "xcos": {**XCOS, "channels": "4"}},
        {**MODEL, "xcos": {**XCOS, "channels": [4]}},
        {**MODEL, "xcos": 7},
        {**MODEL, "xcos": {"attentions": 5}},
        {**MODEL, "backbone": 7},
        {**MODEL, "backbone": {"kind": []}},
        {**MODEL, "backbone": {"kind": {"a": 1}}},
        {**MODEL, "backbone": {"kind": "mobilefacenet", "input_size": 10**7}},
        {**MODEL, "backbone": {"kind": "mobilefacenet", "input_size": "112"}},
        {**MODEL, "backbone": {"kind": "mobilefacenet", "input_size": 16_000}},
        {"backbone": MODEL["backbone"], "embedding_head": {"kind": "fc", "dimension": 16_000}},
        {"backbone": MODEL["backbone"], "embedding_head": None},
        {"backbone": MODEL["backbone"]},
        {"xcos": XCOS},
    ],
)
def test_a_model_of_odd_types_or_sizes_takes_no_memory(folder, model):
    edit(folder, model=model)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(XcosError, match=r"json describes|does not fit|too large|damaged \(model"):
        presets.load_preset(folder)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000  # kB


def test_nested_and_endless_configurations_are_one_sentence(folder):
    path = folder / "config.json"
    for text in ("[" * 10**5, '{"a":' * 10**5, '{"format": ' + "9" * 5000 + "}"):
        path.write_text(text)
        with pytest.raises(XcosError, match=r"config\.json is damaged"):
            presets.read_config(folder)


def test_weights_are_read_once(folder, monkeypatch):
    """A file that is swapped after it was read is not what runs."""
    read, expected = presets.read_file, presets.load_preset(folder).network

    def swapping(path, *arguments):
        content = read(path, *arguments)
        path.write_bytes(b"another")
        return content

    monkeypatch.setattr(presets, "read_file", swapping)
    found = presets.load_preset(folder).network
    images = np.zeros((1, 32, 32, 3), np.float32)
    np.testing.assert_array_equal(found.features(images), expected.features(images))


@pytest.mark.parametrize(
    "pattern, megabytes", [("*mobilefacenet/*", 15), ("*-occlusion/*", 15), ("*/*", 26)]
)
def test_bundled_presets_are_small(pattern, megabytes):
    size = sum(path.stat().st_size for path in presets.BUNDLED.glob(pattern))
    assert 3e6 < size < megabytes * 1e6


@pytest.mark.parametrize(
    "preset, plain",
    [
        ("xcos-mobilefacenet", "mobilefacenet"),
        ("xcos-mobilefacenet-2", "mobilefacenet"),
        ("xcos-mobilefacenet-occlusion", "mobilefacenet-occlusion"),
        ("mobilefacenet", "mobilefacenet"),
        ("ir-50", "ir-50"),
    ],
)
def test_a_preset_is_called_after_its_baseline(preset, plain):
    assert namesake(preset) == plain
