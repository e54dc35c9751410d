"""`xcos explain` on the sample photos."""

import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.verifying import THRESHOLDS, untrained_preset
from xcos_tf.cli.main import main
from xcos_tf.explain.panels import PAPER

PHOTOS = Path(__file__).parents[1] / "photos"
OBAMA, OBAMA2, BIDEN = (str(PHOTOS / f"{name}.jpg") for name in ("obama", "obama2", "biden"))


@pytest.fixture(scope="session")
def preset(tmp_path_factory):
    return str(untrained_preset(tmp_path_factory.getbasetemp()))


@pytest.fixture
def drawn(monkeypatch):
    """Lists what was given to be drawn."""
    import xcos_tf.explain.comparison_figure as module

    given, draw = [], module.draw_comparison

    def record(*arguments):
        given.append(arguments)
        return draw(*arguments)

    monkeypatch.setattr(module, "draw_comparison", record)
    return given


def test_a_picture_and_what_it_says(preset, tmp_path, capsys, drawn):
    out = tmp_path / "why.png"
    options = ["--preset", preset, "--method", "xcos-patched,gradcam,face-centre", "--values"]
    assert main(["explain", OBAMA, OBAMA2, *options, "--out", str(out)]) == 0
    lines = capsys.readouterr().out.splitlines()
    [(face_a, face_b, rows, *rest)] = drawn
    assert rest == ["obama.jpg", "obama2.jpg", True, PAPER]
    assert face_a.shape == face_b.shape == (112, 112, 3) and (face_a != face_b).any()
    patched, gradcam, centre = rows
    assert [row.preset for row in rows] == [preset, "mobilefacenet", preset]
    assert [row.score for row in rows] == ["patched", "cosine", "learned"]
    assert patched.threshold == centre.threshold == THRESHOLDS["0.001"] != gradcam.threshold
    similarity = patched.explanation.similarity_map
    assert patched.explanation.score == pytest.approx(similarity.mean(), abs=1e-6)
    verdict = "same person: cosine 0.794 ≥ 0.506 (threshold at FMR 0.001)"
    assert lines[0].startswith(f"{preset}: ") and "xCos (patched attention) " in lines[0]
    assert lines[1] == f"mobilefacenet: {verdict}"
    assert "xCos (learned attention) " in lines[2]
    assert lines[3].startswith(f"xcos-patched of {preset}: ") and " s, 2 faces" in lines[3]
    assert "  Adds most to the score: " in lines[4]
    assert lines[5].startswith("gradcam of mobilefacenet: ")
    assert lines[5].endswith(" s, 4 faces forward and 2 backward")
    assert lines[7] == "  Marked most: nose tip, mouth; least: hairline."
    assert lines[8:] == [f"picture: {out}"]
    with Image.open(out) as picture:
        assert picture.format == "PNG" and picture.width == 1740
    assert os.listdir(tmp_path) == ["why.png"]


def test_aligned_faces_and_different_people(tmp_path, capsys, drawn, random):
    for name in "ab":
        face = random.integers(0, 256, (112, 112, 3), np.uint8)
        Image.fromarray(face).save(tmp_path / f"{name}.png")
    photos = [str(tmp_path / f"{name}.png") for name in "ab"]
    options = ["--preset", "mobilefacenet", "--method", "tail", "--aligned"]
    assert main(["explain", *photos, *options, "--out", str(tmp_path / "x.pdf")]) == 0
    assert "mobilefacenet: " in capsys.readouterr().out
    [(*faces, [row], _, _, _, _)] = drawn
    for face, photo in zip(faces, photos, strict=True):
        np.testing.assert_array_equal(face, Image.open(photo))
    assert row.preset == "mobilefacenet" and row.explanation.signed
    assert (tmp_path / "x.pdf").read_bytes().startswith(b"%PDF")


def test_several_faces_are_warned_of(tmp_path, capsys):
    both = Image.new("RGB", (600, 600))
    for k, path in enumerate((OBAMA, BIDEN)):
        both.paste(Image.open(path).resize((300, 600)), (300 * k, 0))
    both.save(tmp_path / "both.png")
    options = ["--preset", "mobilefacenet", "--method", "random", "--face", "rightmost"]
    arguments = [str(tmp_path / "both.png"), OBAMA, *options, "--out", str(tmp_path / "x.svg")]
    assert main(["explain", *arguments]) == 0
    captured = capsys.readouterr()
    warning = f"xcos explain: warning: {tmp_path / 'both.png'} shows 2 faces; the rightmost one"
    assert warning in captured.err


def never(*_, **__):
    raise AssertionError("a preset was loaded although the options are wrong")


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--method", "lime"], "there is no method 'lime' to explain by; use one of xcos"),
        (["--out", "x.gif"], "end its name in .png, .pdf or .svg"),
        (["--out", "nowhere/x.png"], "there is no folder"),
        (["--preset", "nonesuch"], "there is no preset 'nonesuch'"),
        (["--preset", "mobilefacenet"], "'xcos' explains the score of a grid and the preset"),
        (["--baseline", "xcos-mobilefacenet-2"], "give a plain preset"),
        (["--method", "xcos", "--baseline", "mobilefacenet"], "leave it out or add one"),
    ],
)
def test_wrong_options_are_refused_before_the_work(
    options, sentence, tmp_path, capsys, monkeypatch
):
    monkeypatch.setattr("xcos_tf.verifier.load_runtime", never)
    monkeypatch.chdir(tmp_path)
    assert main(["explain", OBAMA, OBAMA2, "--out", "x.png", *options]) == 2
    check_refusal(capsys, sentence)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize(
    "photo, options, sentence",
    [
        ("missing.jpg", [], "there is no file"),
        ("grey.png", [], "no face was found in grey.png"),
        ("grey.png", ["--aligned"], "leave out the option that says it is aligned"),
        ("grey.png", ["--face", "prettiest"], "no face rule 'prettiest'"),
    ],
)
def test_bad_photos_are_one_sentence(photo, options, sentence, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (300, 300), "grey").save("grey.png")
    common = ["--preset", "mobilefacenet", "--method", "tail", "--out", "x.png"]
    assert main(["explain", photo, photo, *common, *options]) == 2
    check_refusal(capsys, sentence)
    assert os.listdir(tmp_path) == ["grey.png"]


def check_refusal(capsys, sentence):
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("xcos explain: error: ") and captured.err.count("\n") == 1
    assert sentence in captured.err
