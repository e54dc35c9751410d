import json
import shutil

import pytest

from tests.export.compression.conftest import PRESET
from tools.compress_preset import main
from tools.generate_faces import generate
from xcos_tf.data.records.source import FolderSource
from xcos_tf.data.records.writer import prepare
from xcos_tf.export.compression import judging
from xcos_tf.export.compression.fine_tuning import FineTuning
from xcos_tf.export.tflite.export import model_maker
from xcos_tf.models.presets import find_preset, load_preset

pytestmark = pytest.mark.slow


@pytest.fixture
def folder(tmp_path):
    """A copy of the preset without compressed weights, said to be trained on drawn faces."""
    copy = tmp_path / "preset"
    shutil.copytree(find_preset(PRESET), copy, ignore=shutil.ignore_patterns("compressed"))
    config = json.loads((copy / "config.json").read_text())
    config["training"]["config"]["data"] = {"sets": ["drawn"], "hold_out": {"drawn": 2}}
    (copy / "config.json").write_text(json.dumps(config))
    return copy


def arguments(folder, *more):
    base = folder.parent
    places = ["--data", str(base / "data"), "--work", str(base / "work")]
    return [str(folder), "qat", *places, "--steps", "9", "--rate", "4e-5", *more]


def test_a_variant_is_made_and_measured(folder, capsys, monkeypatch):
    base = folder.parent
    generate(base / "faces", people=5, faces=4, seed=1)
    prepare(FolderSource(base / "faces"), base / "data" / "drawn")
    assert main(arguments(folder, "--steps", "1")) == 0
    printed = json.loads(capsys.readouterr().out)
    assert set(printed) == {"float32", "int8", "qat"}
    assert 0.9 < printed["qat"]["cell_cosine"] < 1
    record = json.loads((folder / "compressed" / "record.json").read_text())["qat"]
    assert record["made"]["steps"] == 1 and record["made"]["sets"] == ["drawn"]
    assert "sparsity" not in record["made"] and "clusters" not in record["made"]
    assert record["facts"]["people"] == 3 and record["facts"]["validation"]["people"] == 2
    assert str(base) not in json.dumps(record)
    assert len(model_maker(load_preset(folder), "qat")("embed", 1)) < 1.8e6
    # A second time there is nothing to train, and the work is of these settings.
    weights = folder / "compressed" / "qat.safetensors"
    before = weights.read_bytes()
    weights.unlink()
    monkeypatch.setattr(FineTuning, "advance", None)
    monkeypatch.setattr(
        judging, "compression_cost", lambda preset, grids, *_: {x: {} for x in grids}
    )
    assert main(arguments(folder, "--steps", "1")) == 0
    assert set(json.loads(capsys.readouterr().out)) == {"int8", "qat"}
    assert weights.read_bytes() == before


@pytest.mark.parametrize(
    "more, sentence",
    [
        (("--steps", "0"), "--steps is 0; give 1 or more"),
        (("--sparsity", "1"), "--sparsity is 1.0; give between 0 and 1"),
        ((), "is no prepared set; make one with `xcos prepare`"),
    ],
)
def test_bad_input_is_one_sentence(folder, capsys, more, sentence):
    assert main(arguments(folder, *more)) == 2
    assert sentence in capsys.readouterr().err
    assert not (folder / "compressed").exists()


def test_a_preset_of_unknown_training_is_refused(folder, capsys):
    config = json.loads((folder / "config.json").read_text())
    del config["training"]
    (folder / "config.json").write_text(json.dumps(config))
    assert main(arguments(folder)) == 2
    assert "does not say what it was trained on" in capsys.readouterr().err
