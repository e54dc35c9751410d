"""`xcos export`: what it writes where, and bad input in one sentence."""

import contextlib
import io
import json
import os
import shutil
from pathlib import Path

import pytest
import tensorflow as tf

from tests.verifying import untrained_preset
from xcos_tf.cli.main import main
from xcos_tf.export.saved_model import plan_version
from xcos_tf.models.presets import BUNDLED, load_preset, save_preset

PRESET = "xcos-mobilefacenet-2"


@pytest.fixture(scope="module")
def two_versions(served_folder, tmp_path_factory):
    """DIR with the shared version 1, and one after it by the command."""
    out = tmp_path_factory.mktemp("two")
    shutil.copytree(served_folder, out / "serving")
    with contextlib.redirect_stdout(io.StringIO()) as printed:
        assert main(["export", PRESET, str(out), "--to", "saved-model"]) == 0
    assert printed.getvalue() == f"{out / 'serving' / PRESET / '2'}\n"
    return out


def test_layout(two_versions):
    serving = two_versions / "serving"
    assert sorted(os.listdir(serving)) == [
        "batching.config",
        "compose.yaml",
        "models.config",
        "monitoring.config",
        PRESET,
    ]
    assert sorted(os.listdir(serving / PRESET)) == ["1", "2"]
    for version in "12":
        files = {
            str(path.relative_to(serving / PRESET / version))
            for path in (serving / PRESET / version).rglob("*")
            if path.is_file()
        }
        assert files == {
            "saved_model.pb",
            "fingerprint.pb",
            "variables/variables.index",
            "variables/variables.data-00000-of-00001",
            "assets.extra/tf_serving_warmup_requests",
            "assets.extra/xcos.json",
        }
    config = (serving / "models.config").read_text()
    assert config.index('key: "canary"\n      value: 2') < config.index('"stable"\n      value: 1')


def test_a_version_says_where_it_came_from(two_versions):
    config = json.loads((BUNDLED / PRESET / "config.json").read_text())
    path = two_versions / "serving" / PRESET / "2" / "assets.extra" / "xcos.json"
    assert json.loads(path.read_text()) == {
        "format": 1,
        "preset": PRESET,
        "preset_sha256": config["weights"]["sha256"],
        "attention": "learned",
        "threshold": config["thresholds"]["learned"]["0.001"],
        "fmr": 0.001,
    }


def test_another_name_and_version(tmp_path):
    assert plan_version(PRESET, tmp_path, "faces.v2", 12).path == tmp_path / "faces.v2" / "12"


@pytest.fixture
def folders(tmp_path, tmp_path_factory):
    """Presets and folders with something wrong about them."""
    (tmp_path / "file").touch()
    (tmp_path / "taken" / "serving" / PRESET / "4").mkdir(parents=True)
    (tmp_path / "odd" / "serving").mkdir(parents=True)
    (tmp_path / "odd" / "serving" / "models.config").write_text("nonsense: 1")
    (tmp_path / "blocked" / "serving").mkdir(parents=True)
    (tmp_path / "blocked" / "serving" / PRESET).touch()
    unmeasured = tmp_path_factory.getbasetemp() / "unmeasured"
    if not unmeasured.exists():
        loaded = load_preset(untrained_preset(tmp_path_factory.getbasetemp()))
        facts = {"name": "un measured", "model": loaded.config["model"], "thresholds": {}}
        save_preset(unmeasured, facts, loaded.network)
    return {"UNMEASURED": str(unmeasured)}


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["nonesuch", "out"], "there is no preset 'nonesuch'; use one of mobilefacenet"),
        (["mobilefacenet", "out"], "gives no maps and has no served form; export an xCos preset"),
        (["UNMEASURED", "out", "--name", "a"], "'un measured' has no thresholds for 'learned'"),
        ([PRESET, "file"], "cannot be written; choose another folder"),
        ([PRESET, "file/out"], "cannot be written; choose another folder"),
        ([PRESET, "blocked"], "cannot be written; choose another folder"),
        ([PRESET, "/proc/out"], "cannot write /proc/out/serving"),
        (["UNMEASURED", "out"], "'un measured' cannot be the name of a served model"),
        ([PRESET, "odd"], "models.config cannot be read or has more in it"),
        ([PRESET, "taken", "--version", "4"], "is there already, and a version never changes"),
        ([PRESET, "taken", "--version", "4"], "give another number, such as 5, or leave it out"),
        ([PRESET, "out", "--version", "0"], "0 cannot be a version; give a whole number from 1"),
        ([PRESET, "out", "--version", str(2**63)], "cannot be a version; give a whole number"),
        ([PRESET, "out", "--name", "../up"], "'../up' cannot be the name of a served model"),
        ([PRESET, "out", "--name", ""], "'' cannot be the name of a served model"),
        ([PRESET, "out", "--name", ".hidden"], "'.hidden' cannot be the name of a served model"),
        ([PRESET, "out", "--name", "models.config"], "cannot be the name of a served model"),
        ([PRESET, "out", "--variants", "int8"], "--variants is not for --to saved-model"),
        ([PRESET, "out", "--representative", "x"], "--representative is not for --to saved-model"),
        ([PRESET, "out", "--to", "tflite", "--name", "a"], "--name is not for --to tflite"),
        ([PRESET, "out", "--to", "tflite", "--version", "1"], "--version is not for --to tflite"),
        ([PRESET, "out", "--to", "all", "--variants", "int3"], "no TFLite variant 'int3'"),
        ([PRESET, "taken", "--to", "all", "--version", "4"], "is there already"),
    ],
)
def test_bad_input_is_one_sentence(arguments, sentence, folders, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    words = [folders.get(word, word) for word in arguments]
    to = [] if "--to" in words else ["--to", "saved-model"]
    assert main(["export", *words, *to]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("xcos export: error: ") and captured.err.count("\n") == 1
    assert sentence in captured.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_disk_that_fills_up_leaves_no_version(tmp_path, capsys, monkeypatch):
    def save(module, folder, signatures):
        (Path(folder) / "saved_model.pb").write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tf.saved_model, "save", save)
    out = tmp_path / "out"
    assert main(["export", PRESET, str(out), "--to", "saved-model"]) == 2
    error = capsys.readouterr().err
    assert "(No space left on device); free some space" in error and error.count("\n") == 1
    assert os.listdir(out / "serving" / PRESET) == [] and os.listdir(out / "serving") == [PRESET]
