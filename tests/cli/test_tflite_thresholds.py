"""Thresholds of a variant, against what the Python API gives for the same pairs."""

import json

import numpy as np
import pytest

from tests.verifying import MODEL, untrained_network
from tools.generate_faces import draw_face
from xcos_tf.cli import tflite_thresholds
from xcos_tf.cli.main import main as xcos
from xcos_tf.data.face_set import hold_out, join_sets
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.sampling import draw_pairs
from xcos_tf.data.training_input import decode_face
from xcos_tf.metrics.rates import thresholds_at_fmrs
from xcos_tf.models.presets import save_preset
from xcos_tf.runtime.model_file import ModelFile
from xcos_tf.verifier import Verifier

PEOPLE, PHOTOS, HELD_OUT, SEED = 7, 4, 5, 3


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A prepared set of drawn faces."""
    root = tmp_path_factory.mktemp("data")
    for person in range(PEOPLE):
        (root / "faces" / str(person)).mkdir(parents=True)
        for photo in range(PHOTOS):
            generators = [np.random.default_rng([5, person, x]) for x in (0, photo + 1)]
            draw_face(*generators).save(root / "faces" / str(person) / f"{photo}.png")
    assert xcos(["prepare", str(root / "faces"), str(root / "drawn")]) == 0
    return root


@pytest.mark.slow
def test_thresholds_are_those_of_the_people_held_out(data, tmp_path, monkeypatch):
    trained = {"data": {"sets": ["drawn"], "hold_out": {"drawn": HELD_OUT}}, "seed": SEED}
    config = {"name": "mine", "model": MODEL, "thresholds": {}, "training": {"config": trained}}
    preset = tmp_path / "mine"
    save_preset(preset, config, untrained_network())
    monkeypatch.setattr(tflite_thresholds, "PAIRS", 120)
    words = ["export", preset, tmp_path / "out", "--to", "tflite", "--variants", "float32"]
    assert xcos([str(x) for x in (*words, "--measure", data)]) == 0
    found = json.loads((preset / "tflite-thresholds.json").read_text())
    assert found["measured"].startswith("measured on 120 impostor pairs of 5 people held out")

    faces = hold_out(join_sets([PreparedSet(data / "drawn")]), {"drawn": HELD_OUT}, SEED)[1]
    images = np.stack([decode_face(x) for x in faces.read(np.arange(len(faces)))])
    verifier = Verifier.from_preset(preset)
    pairs = draw_pairs(faces.labels, 0, 120, SEED + 1)
    grids = verifier.embed(images)
    scores = verifier.compare_pairs(grids[pairs.first], grids[pairs.second])
    expected = thresholds_at_fmrs(scores)
    assert set(expected) == {"0.01"} == set(found["variants"]["float32"])
    assert found["variants"]["float32"]["0.01"] == pytest.approx(expected["0.01"], abs=1e-5)
    metadata = ModelFile.read(
        tmp_path / "out" / "tflite" / "embed.float32.tflite", "embed"
    ).metadata
    assert metadata["thresholds"] == found["variants"]["float32"]


def test_preset_that_held_nobody_out(tmp_path, capsys):
    save_preset(
        tmp_path / "mine", {"name": "mine", "model": MODEL, "thresholds": {}}, untrained_network()
    )
    (tmp_path / "data").mkdir()
    words = ["export", tmp_path / "mine", tmp_path / "out", "--to", "tflite"]
    assert xcos([str(x) for x in (*words, "--measure", tmp_path / "data")]) == 2
    assert "does not say whom its training held out" in capsys.readouterr().err
