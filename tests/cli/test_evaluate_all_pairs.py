"""`xcos evaluate --all-pairs` on a folder of generated faces."""

import json
import re

import numpy as np
import pytest

from tests.data.records.sources import jpeg
from tests.verifying import ATTENTIONS, THRESHOLDS, untrained_preset
from xcos_tf.cli.main import main
from xcos_tf.evaluation.matcher import Matcher
from xcos_tf.evaluation.measurement import ScoredPairs, measure
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.verifier import Verifier

SCORES = ("patched", "correlated", "flattened", "learned")  # the slow one last

pytestmark = pytest.mark.usefixtures("loaded_once")


@pytest.fixture(scope="session")
def preset(tmp_path_factory):
    return str(untrained_preset(tmp_path_factory.getbasetemp()))


def write_faces(folder, counts):
    for person, count in counts.items():
        (folder / person).mkdir(parents=True)
        for i in range(count):
            (folder / person / f"{i}.jpg").write_bytes(jpeg(sum(person.encode()) + i, 112))
    return folder


@pytest.fixture
def faces(tmp_path):
    return write_faces(tmp_path / "faces", {"Ann": 4, "Bob": 1, "Cy": 3})


def evaluate(capsys, *arguments, code=0):
    assert main(["evaluate", "--all-pairs", *map(str, arguments)]) == code
    return capsys.readouterr()


def test_json_agrees_with_the_measurement_of_a_list(faces, preset, capsys):
    (faces / "Bob" / "note.txt").write_text("hello")
    document = json.loads(evaluate(capsys, faces, "--preset", preset, "--json").out)
    facts = document["set"]
    (skipped,) = facts.pop("skipped")
    assert skipped["name"] == "Bob/note.txt" and "not an image" in skipped["reason"]
    assert facts == {
        "name": str(faces),
        "faces": 8,
        "people": 3,
        "pairs": 28,
        "genuine": 9,
        "impostor": 19,
    }
    verifier = Verifier.from_preset(preset)
    names = [
        f"{person}/{i}.jpg" for person, n in (("Ann", 4), ("Bob", 1), ("Cy", 3)) for i in range(n)
    ]
    features = np.stack([verifier.enroll(faces / name, aligned=True).feature for name in names])
    first, second = np.triu_indices(8, k=1)
    people = np.array([name[0] for name in names])
    same = people[first] == people[second]
    pairs = PairSet(names, first, second, same, np.zeros(28, np.int64))
    assert [row["score"] for row in document["results"]] == list(SCORES)
    results = {row["score"]: row for row in document["results"]}
    for row in map(results.get, ATTENTIONS):
        assert (row["preset"], row["sha256"]) == (preset, verifier.config["weights"]["sha256"])
        values = verifier.compare_pairs(features[first], features[second], row["score"])
        expected = measure(ScoredPairs(preset, "", row["score"], values, THRESHOLDS), pairs)
        for name in ("auc", "eer"):
            assert row[name]["low"] - 1e-6 <= getattr(expected, name) <= row[name]["high"] + 1e-6
        assert list(row["tar_at_far"]) == ["0.1", "0.01", "0.001", "0.0001", "1e-05", "1e-06"]
        tar = row["tar_at_far"]["0.1"]
        assert tar["low"] <= expected.tar_at_far[0.1].value <= tar["high"]
        assert row["tar_at_far"]["0.01"] is None
        for promised, known in expected.at_threshold.items():
            found = row["at_threshold"][promised]
            assert found["threshold"] == known.threshold
            for name in ("fmr", "fnmr"):
                assert found[name] == vars(getattr(known, name))
        assert sum(row["histogram"]["genuine"]) == 9 and sum(row["histogram"]["impostor"]) == 19
    assert results["flattened"]["at_threshold"] == {}


def test_tables(faces, preset, capsys):
    text = evaluate(capsys, faces, "--preset", preset, "--preset", "mobilefacenet").out
    assert text.startswith(f"28 pairs (9 genuine, 19 impostor) of 8 faces of 3 people in {faces}\n")
    for score in SCORES:
        assert (
            len(re.findall(rf"^\| {re.escape(preset)} \| {score} \| 0\.\d{{5}} ", text, re.M)) == 1
        )
    assert re.search(r"^\| mobilefacenet \| cosine \| 0\.\d{5} \| [\d.]+ \| — \|", text, re.M)
    # Three thresholds of each attention; the baseline's preset states its own or none.
    assert len(re.findall(rf"^\| {re.escape(preset)} \| \w+ \| 1e-[234] \|", text, re.M)) == 9
    assert "left out" not in text and "there are no" not in text


def test_templates_are_kept(faces, preset, tmp_path, capsys, monkeypatch):
    kept = tmp_path / "some.templates"
    first = evaluate(capsys, faces, "--preset", preset, "--templates", kept).out
    assert kept.is_file()
    monkeypatch.setattr("xcos_tf.verifier.Verifier.embed", None)  # no need of it any more
    assert evaluate(capsys, faces, "--preset", preset, "--templates", kept).out == first


def test_an_interruption_says_how_to_go_on(faces, preset, tmp_path, capsys, monkeypatch):
    def interrupt(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("xcos_tf.verifier.Verifier.embed", interrupt)
    kept = ["--templates", tmp_path / "some.templates"]
    assert "goes on from here" in evaluate(capsys, faces, "--preset", preset, *kept, code=130).err
    assert "goes on from here" not in evaluate(capsys, faces, "--preset", preset, code=130).err


def test_what_is_finished_is_shown(faces, preset, capsys, monkeypatch):
    def until_learned(matcher, first, second, score):
        if score == "learned":
            raise KeyboardInterrupt
        return score_all(matcher, first, second, score)

    score_all = Matcher.score_all
    monkeypatch.setattr(Matcher, "score_all", until_learned)
    document = json.loads(evaluate(capsys, faces, "--preset", preset, "--json", code=130).out)
    assert [row["score"] for row in document["results"]] == ["patched", "correlated", "flattened"]


@pytest.mark.parametrize(
    "counts, sentence, known",
    [
        ({"Ann": 3}, "there are no impostor pairs, since all faces are one person's", 1),
        ({"Ann": 1, "Bob": 1, "Cy": 1}, "there are no genuine pairs, since nobody has two", 0),
    ],
)
def test_pairs_of_one_kind(tmp_path, preset, capsys, counts, sentence, known):
    faces = write_faces(tmp_path / "faces", counts)
    text = evaluate(capsys, faces, "--preset", preset).out
    assert sentence in text
    assert "AUC" not in text
    rows = re.findall(r"\| 1e-\d \| [\d.]+ \| (.*?) \| (.*?) \|$", text, re.M)
    assert len(rows) == 9
    for row in rows:
        assert row[known] != "—" and row[1 - known] == "—"


@pytest.mark.parametrize(
    "counts, options, sentence",
    [
        ({}, [], "holds no people; give a folder with one sub-folder a person"),
        ({"Ann": 1}, [], "there is one face, and all against all takes two"),
        (
            {"Ann": 2},
            ["--preset", "mobilefacenet"],
            "keeps templates of one preset and there are 2",
        ),
    ],
)
def test_bad_input_is_one_sentence(tmp_path, preset, capsys, counts, options, sentence):
    (tmp_path / "faces").mkdir()
    faces = write_faces(tmp_path / "faces", counts)
    kept = ["--templates", tmp_path / "some.templates"]
    captured = evaluate(capsys, faces, "--preset", preset, *options, *kept, code=2)
    assert captured.out == ""
    *_, error = captured.err.splitlines()
    assert error.startswith("xcos evaluate: error: ") and sentence in error
    assert "Traceback" not in captured.err
