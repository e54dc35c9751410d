"""`xcos evaluate` on a test set of four photos in the manner of LFW."""

import json
from pathlib import Path

import pytest
from PIL import Image, ImageOps

from tests.verifying import ATTENTIONS, THRESHOLDS, untrained_preset
from xcos_tf.cli.main import main
from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.photo import read_photo
from xcos_tf.models.presets import load_preset, save_preset

PHOTOS = Path(__file__).parents[1] / "photos"
PAIRS = """2\t1
Barack_Obama\t1\t2
Barack_Obama\t1\tJoe_Biden\t1
Joe_Biden\t1\t2
Barack_Obama\t2\tJoe_Biden\t2
"""


@pytest.fixture(scope="session")
def preset(tmp_path_factory):
    return str(untrained_preset(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="module")
def photo_set(tmp_path_factory):
    """A folder with `photos`, `faces` (the same, aligned) and `pairs.txt`."""
    root = tmp_path_factory.mktemp("lfw")
    biden = Image.open(PHOTOS / "biden.jpg")
    portraits = {
        "Barack_Obama_0001": Image.open(PHOTOS / "obama.jpg"),
        "Barack_Obama_0002": Image.open(PHOTOS / "obama2.jpg"),
        "Joe_Biden_0001": biden,
        "Joe_Biden_0002": ImageOps.mirror(biden),
    }
    aligner = FaceAligner()
    for name, image in portraits.items():
        image.thumbnail((500, 500))
        photo = root / "photos" / name[:-5] / f"{name}.jpg"
        face = root / "faces" / name[:-5] / f"{name}.png"
        for path in (photo, face):
            path.parent.mkdir(parents=True, exist_ok=True)
        image.save(photo)
        Image.fromarray(aligner.align([read_photo(photo)])[0].image).save(face)
    (root / "pairs.txt").write_text(PAIRS)
    return root


def evaluate(capsys, *arguments):
    assert main(["evaluate", *map(str, arguments)]) == 0
    return capsys.readouterr().out


def test_one_row_for_each_attention(photo_set, preset, capsys):
    text = evaluate(capsys, photo_set / "photos", photo_set / "pairs.txt", "--preset", preset)
    headline, header, rule, *rows = text.splitlines()
    assert headline == f"4 pairs of 4 photos in {photo_set / 'photos'}"
    assert len(rows) == len(ATTENTIONS)
    for row, attention in zip(rows, ATTENTIONS, strict=True):
        assert row.startswith(f"| {preset} | {attention} | ")
        assert row.count("|") == header.count("|") == rule.count("|")


def test_aligned_faces_give_the_same_numbers(photo_set, preset, capsys):
    pairs = photo_set / "pairs.txt"
    options = [pairs, "--json", "--preset", preset]
    raw = json.loads(evaluate(capsys, photo_set / "photos", *options))
    aligned = json.loads(evaluate(capsys, photo_set / "faces", *options, "--aligned"))
    assert raw == aligned
    for row, attention in zip(raw, ATTENTIONS, strict=True):
        assert row["preset"] == preset
        assert row["score"] == attention
        assert row["threshold"] == THRESHOLDS["0.001"]
        shares = ("accuracy", "auc", "eer", "tar_at_far_1e-3", "fmr", "fnmr")
        assert all(0 <= row[name] <= 1 for name in shares)


def test_trained_recogniser_gets_all_pairs_right(photo_set, preset, tmp_path, capsys):
    plain = load_preset("mobilefacenet")
    config = {**plain.config, "thresholds": {"cosine": {"0.001": 0.5}}}
    save_preset(tmp_path / "plain", config, plain.network)
    arguments = [photo_set / "faces", photo_set / "pairs.txt", "--aligned"]
    arguments += ["--preset", preset, "--preset", tmp_path / "plain", "--json"]
    *_, row = rows = json.loads(evaluate(capsys, *arguments))
    assert [row["score"] for row in rows] == [*ATTENTIONS, "cosine"]
    assert row == {
        "preset": str(tmp_path / "plain"),
        "score": "cosine",
        "accuracy": 1.0,
        "accuracy_std": 0.0,
        "auc": 1.0,
        "eer": 0.0,
        "tar_at_far_1e-3": 1.0,
        "threshold": 0.5,
        "fmr": 0.0,
        "fnmr": 0.0,
    }


def test_a_preset_without_a_threshold(photo_set, tmp_path, capsys):
    plain = load_preset("mobilefacenet")
    save_preset(tmp_path / "plain", {**plain.config, "thresholds": {}}, plain.network)
    arguments = [photo_set / "faces", photo_set / "pairs.txt", "--aligned"]
    arguments += ["--preset", tmp_path / "plain"]
    row = evaluate(capsys, *arguments).splitlines()[-1]
    assert "100.00 ± 0.00" in row and row.endswith("| no threshold |")
    [row] = json.loads(evaluate(capsys, *arguments, "--json"))
    assert [row[name] for name in ("threshold", "fmr", "fnmr")] == [None] * 3


@pytest.mark.parametrize(
    "folder, pairs, options, sentence",
    [
        ("photos", "nowhere.txt", [], "there is no list of pairs"),
        ("nowhere", "pairs.txt", [], "there is no folder"),
        ("photos", "more.txt", [], "the photo Joe_Biden/Joe_Biden_0007.jpg of line 4 of"),
        ("blank", "pairs.txt", [], "no face was found in"),
        ("photos", "pairs.txt", ["--aligned"], "is not a 112×112 face; run `xcos align` first"),
        ("photos", "pairs.txt", ["--preset", "nonesuch"], "there is no preset 'nonesuch'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    photo_set, preset, capsys, folder, pairs, options, sentence
):
    (photo_set / "more.txt").write_text(PAIRS.replace("Joe_Biden\t1\t2", "Joe_Biden\t1\t7"))
    for photo in (photo_set / "photos").rglob("*.jpg"):
        path = photo_set / "blank" / photo.relative_to(photo_set / "photos")
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (200, 200)).save(path)
    arguments = [str(photo_set / folder), str(photo_set / pairs), "--preset", preset, *options]
    assert main(["evaluate", *arguments]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    *progress, error = captured.err.splitlines()
    assert all(line.lstrip("\r").startswith("faces") for line in progress if line)
    assert error.startswith("xcos evaluate: error: ")
    assert sentence in error
    assert "Traceback" not in captured.err
