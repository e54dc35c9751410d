import csv

import numpy as np
import pytest

from tests.verifying import MODEL, untrained_network
from tools import held_out_faces
from tools.generate_faces import draw_face
from xcos_tf.cli.main import main as xcos
from xcos_tf.data.face_set import hold_out, join_sets
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.evaluation.open_set import open_set
from xcos_tf.models.presets import save_preset

HELD_OUT, SEED = 3, 2


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A prepared set of drawn faces, three of each of five people, and a preset trained on it."""
    root = tmp_path_factory.mktemp("data")
    for person in range(5):
        (root / "faces" / str(person)).mkdir(parents=True)
        for photo in range(3):
            generators = [np.random.default_rng([5, person, x]) for x in (0, photo + 1)]
            draw_face(*generators).save(root / "faces" / str(person) / f"{photo}.png")
    assert xcos(["prepare", str(root / "faces"), str(root / "drawn")]) == 0
    trained = {"data": {"sets": ["drawn"], "hold_out": {"drawn": HELD_OUT}}, "seed": SEED}
    config = {"name": "mine", "model": MODEL, "thresholds": {}, "training": {"config": trained}}
    save_preset(root / "mine", config, untrained_network())
    return root


def test_they_are_a_set_with_pairs(data, tmp_path, monkeypatch):
    monkeypatch.setattr(held_out_faces, "PAIRS", 5)
    words = [data, "--out", tmp_path / "out", "--preset", data / "mine"]
    assert held_out_faces.main([str(x) for x in words]) == 0
    faces = hold_out(join_sets([PreparedSet(data / "drawn")]), {"drawn": HELD_OUT}, SEED)[1]
    folders = sorted(x.name for x in (tmp_path / "out").iterdir() if x.is_dir())
    assert folders == sorted(name.replace("/", "-") for name in faces.people)
    files = sorted((tmp_path / "out").rglob("*.png"), key=lambda path: path.name)
    assert [path.read_bytes() for path in files] == faces.read(np.arange(len(faces)))
    vset = open_set(tmp_path / "out", tmp_path / "out" / "pairs.csv", aligned=True)
    assert vset.pairs.same.sum() == 5 and (~vset.pairs.same).sum() == 5
    with open(tmp_path / "out" / "pairs.csv", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            people = [row[x].split("/")[0] for x in ("first", "second")]
            assert (people[0] == people[1]) == (row["same"] == "1")


def test_sets_that_are_not_there_are_one_sentence(tmp_path, capsys):
    words = ["nowhere", "--out", str(tmp_path / "out")]
    assert held_out_faces.main(words) == 2
    [error] = capsys.readouterr().err.splitlines()
    assert error.startswith("held_out_faces: error: ")
    assert not (tmp_path / "out").exists()
