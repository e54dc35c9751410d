"""`xcos align`, the real thing on the sample photos."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from xcos_tf.cli.main import main
from xcos_tf.data.alignment import TEMPLATE_LANDMARKS
from xcos_tf.data.detection import FACE_RULES

PHOTOS = Path(__file__).parents[1] / "photos"
XCOS = [sys.executable, "-m", "xcos_tf.cli.main", "align"]


@pytest.fixture
def tree(tmp_path):
    """14 photos: 12 portraits in three sizes and two folders, one blank, one text."""
    source = tmp_path / "photos"
    (source / "more").mkdir(parents=True)
    for i in range(12):
        name = ("obama", "obama2", "biden")[i % 3]
        folder = source if i < 6 else source / "more"
        image = Image.open(PHOTOS / f"{name}.jpg")
        image.thumbnail((600, 600))
        image.save(folder / f"{name}{i}.jpg")
    Image.new("RGB", (300, 300)).save(source / "blank.png")
    (source / "text.jpg").write_text("no photo")
    return source


def faces(folder):
    return {p.relative_to(folder): p.stat().st_mtime_ns for p in folder.rglob("*.jpg")}


def test_killed_and_started_again(tree, tmp_path):
    out = tmp_path / "faces"
    process = subprocess.Popen(
        [*XCOS, tree, out, "--batch-size", "1"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    limit = time.monotonic() + 120
    while process.poll() is None and not faces(out) and time.monotonic() < limit:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stderr.close()
    first = faces(out)
    assert 0 < len(first) < 12

    again = subprocess.run([*XCOS, tree, out], capture_output=True, text=True)
    assert again.returncode == 0
    summary = re.search(
        r"(\d+) aligned, (\d+) already done, \d failed.*, \d+ with several faces, [\d.]+ s, "
        r"[\d.]+ faces/s\n",
        again.stdout,
    )
    assert int(summary[1]) + int(summary[2]) == 12
    assert int(summary[2]) >= len(first)
    assert "14/14" in again.stderr
    assert len(faces(out)) == 12
    assert first.items() <= faces(out).items()
    failures = (out / "failures.csv").read_text().splitlines()
    assert sorted(line.split(",")[0] for line in failures) == ["blank.png", "photo", "text.jpg"]

    from xcos_tf.data.detection import FaceDetector
    from xcos_tf.data.photo import read_photo

    aligned = [read_photo(out / name) for name in faces(out)]
    for (face,) in FaceDetector().detect(aligned):
        assert np.abs(face.landmarks - TEMPLATE_LANDMARKS).max() < 8


def test_ctrl_c(tree, tmp_path, monkeypatch, capsys):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("xcos_tf.data.align_folder.FaceAligner", interrupt)
    assert main(["align", str(tree), str(tmp_path / "faces")]) == 130
    assert "the same command goes on from here" in capsys.readouterr().err


def test_several_faces_are_warned_of(tmp_path, capsys):
    source = tmp_path / "photos"
    source.mkdir()
    left, right = (
        Image.open(PHOTOS / f"{name}.jpg").resize((300, 600)) for name in ("obama", "biden")
    )
    both = Image.new("RGB", (600, 600))
    both.paste(left, (0, 0))
    both.paste(right, (300, 0))
    both.save(source / "both.png")
    out = tmp_path / "faces"
    assert main(["align", str(source), str(out), "--face", "leftmost"]) == 0
    captured = capsys.readouterr()
    assert "1 aligned, 0 already done, 0 failed, 1 with several faces" in captured.out
    assert "warning: 1 photo shows several faces; the leftmost one was used" in captured.err
    assert (out / "several-faces.csv").read_text().splitlines() == ["photo,faces", "both.png,2"]


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["SRC", "SRC/faces"], "one within the other"),
        (["nowhere", "DST"], "there is no folder nowhere; check the path"),
        (["SRC", "DST", "--face", "prettiest"], "no face rule 'prettiest'; use one of largest-"),
        (["SRC", "DST", "--batch-size", "0"], "the batch size 0 is under 1; give 1 or more"),
        (["SRC", os.devnull + "/faces"], "cannot be written"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(tree, tmp_path, capsys, options, sentence):
    out = tmp_path / "faces"
    options = [o.replace("SRC", str(tree)).replace("DST", str(out)) for o in options]
    assert main(["align", *options]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.count("\n") == 1
    assert captured.err.startswith("xcos align: error: ")
    assert sentence in captured.err
    assert not out.exists()


def test_help_names_every_rule(capsys):
    with pytest.raises(SystemExit) as stop:
        main(["align", "--help"])
    assert stop.value.code == 0
    text = re.sub(r"\s+", " ", re.sub(r"-\n\s+", "-", capsys.readouterr().out))
    for rule in FACE_RULES:
        assert rule in text
