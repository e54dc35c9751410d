"""`xcos verify` on the sample photos: verdicts, pictures, and one sentence for any bad input."""

import functools
import io
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.data.test_photo import png
from tests.verifying import THRESHOLDS, untrained_preset
from xcos_tf.cli.main import main
from xcos_tf.models.presets import load_preset
from xcos_tf.quiet import LEVEL

PHOTOS = Path(__file__).parents[1] / "photos"
OBAMA, OBAMA2, BIDEN = (str(PHOTOS / f"{name}.jpg") for name in ("obama", "obama2", "biden"))


@pytest.fixture(scope="session")
def preset(tmp_path_factory):
    return str(untrained_preset(tmp_path_factory.getbasetemp()))


@functools.cache
def load_once(folder):
    return load_preset(folder)


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Build each network once for all tests; a preset that is refused is tried every time."""
    monkeypatch.setattr("xcos_tf.models.presets.load_preset", load_once)


@pytest.mark.parametrize(
    "threshold, code, verdict", [("-1", 0, "same person"), ("1.1", 1, "different people")]
)
def test_exit_code_is_the_verdict(preset, capsys, threshold, code, verdict):
    options = ["--preset", preset, "--threshold", threshold]
    assert main(["verify", OBAMA, OBAMA2, *options]) == code
    captured = capsys.readouterr()
    assert captured.err == ""
    first, sentence = captured.out.splitlines()
    assert first.startswith(f"{verdict}: xCos (learned attention) 0.")
    assert first.endswith(f"{float(threshold):.3f} (your threshold)")
    assert "alike" in sentence


def test_real_process(preset, tmp_path):
    picture = tmp_path / "why.png"
    command = [sys.executable, "-m", "xcos_tf.cli.main", "verify", OBAMA, OBAMA2]
    command += ["--preset", preset, "--threshold", "1.1", "--explain", str(picture)]
    environment = {key: value for key, value in os.environ.items() if key != LEVEL}
    run = subprocess.run(command, capture_output=True, text=True, env=environment)
    assert run.returncode == 1
    # TensorFlow's notices are kept off; Matplotlib may announce its font cache, once.
    assert all("font cache" in line for line in run.stderr.splitlines())
    lines = run.stdout.splitlines()
    assert lines[0].startswith("different people: xCos")
    assert lines[-1] == f"picture: {picture}"
    assert picture.is_file()


@pytest.mark.parametrize("text", ["nan", "inf", "high"])
def test_a_threshold_that_is_no_number_is_refused(text, capsys):
    with pytest.raises(SystemExit) as stop:
        main(["verify", OBAMA, OBAMA2, "--threshold", text])
    assert stop.value.code == 2
    assert text in capsys.readouterr().err


@pytest.mark.parametrize("attention", ["patched", "correlated", "learned"])
def test_json_and_picture(preset, tmp_path, capsys, attention):
    picture = tmp_path / "why.png"
    options = ["--preset", preset, "--attention", attention, "--fmr", "1e-2"]
    code = main(["verify", OBAMA, BIDEN, *options, "--json", "--explain", str(picture)])
    answer = json.loads(capsys.readouterr().out)
    similarity, weights = (np.array(answer[f"{name}_map"]) for name in ("similarity", "attention"))
    assert similarity.shape == weights.shape == (7, 7)
    assert abs(answer["score"] - (similarity * weights).sum()) < 1e-6
    assert abs(weights.sum() - 1) < 1e-6
    assert answer["threshold"] == THRESHOLDS["0.01"]
    assert answer["same"] == (answer["score"] >= answer["threshold"]) == (code == 0)
    assert answer["attention"] == attention
    assert answer["fmr"] == 0.01
    assert answer["preset"] == preset
    assert answer["photos"] == [OBAMA, BIDEN]
    assert answer["faces_found"] == [1, 1]
    assert [np.shape(x["landmarks"]) for x in answer["places"]] == [(5, 2)] * 2
    assert answer["sentence"]
    with Image.open(picture) as image:
        assert image.format == "PNG"
        image.load()
        assert min(image.size) > 500
    assert os.listdir(tmp_path) == ["why.png"]


def test_plain_preset(capsys):
    options = ["--preset", "mobilefacenet", "--threshold", "0.5"]
    assert main(["verify", OBAMA, OBAMA2, *options]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith("same person: cosine 0.")
    assert main(["verify", OBAMA, BIDEN, *options, "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert answer["attention"] == "cosine"
    assert answer["fmr"] is None
    assert not {"similarity_map", "attention_map", "sentence"} & set(answer)


def test_several_faces_are_warned_of(tmp_path, capsys):
    left, right = (Image.open(path).resize((300, 600)) for path in (OBAMA, BIDEN))
    both = Image.new("RGB", (600, 600))
    both.paste(left, (0, 0))
    both.paste(right, (300, 0))
    both.save(tmp_path / "both.png")
    options = ["--preset", "mobilefacenet", "--threshold", "0.5", "--face", "rightmost"]
    assert main(["verify", BIDEN, str(tmp_path / "both.png"), *options]) == 0
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert "both.png shows 2 faces; the rightmost one was used (choose with --face)" in error


def save_exif_rotated(image, path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90° clockwise to see it upright
    image.transpose(Image.Transpose.ROTATE_90).save(path, exif=exif)


def save_animation(image, path):
    frames = [Image.new("RGB", image.size, colour) for colour in ("red", "lime")]
    image.save(path, save_all=True, append_images=frames)


VARIANTS = {
    "grey.jpg": lambda image, path: image.convert("L").save(path),
    "transparent.png": lambda image, path: image.convert("RGBA").save(path),
    "cmyk.jpg": lambda image, path: image.convert("CMYK").save(path),
    "palette.png": lambda image, path: image.quantize(256).save(path),
    "rotated.jpg": save_exif_rotated,
    "animated.gif": save_animation,
}


@pytest.mark.parametrize("name", VARIANTS)
def test_any_kind_of_image_works(tmp_path, capsys, name):
    image = Image.open(OBAMA)
    image.thumbnail((800, 800))
    VARIANTS[name](image, tmp_path / name)
    # Different people score under 0.5, two photos of one about 0.8.
    options = ["--preset", "mobilefacenet", "--threshold", "0.9"]
    assert main(["verify", OBAMA, str(tmp_path / name), *options]) == 0
    assert capsys.readouterr().err == ""


def empty(path):
    path.touch()


def text(path):
    path.write_text("I am no photo, whatever my name says.\n" * 50)


def truncated(path):
    data = Path(OBAMA).read_bytes()
    path.write_bytes(data[: len(data) // 2])


def one_pixel(path):
    Image.new("RGB", (1, 1)).save(path)


def bomb(path):
    path.write_bytes(png(60_000, 60_000))


def faceless(path):
    Image.new("RGB", (300, 300), "grey").save(path)


BAD_PHOTOS = {
    "missing": (lambda path: None, "there is no file"),
    "folder": (Path.mkdir, "is a folder; give a photo file"),
    "empty": (empty, "is empty"),
    "text": (text, "is not an image that can be read"),
    "truncated": (truncated, "is damaged or cut short"),
    "one pixel": (one_pixel, "is only 1×1 pixels"),
    "bomb": (bomb, "has more than 89 million pixels"),
    "faceless": (faceless, "no face was found in"),
}


def damage(folder):
    path = folder / "weights.safetensors"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def age(folder):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "format": 99}))


BAD_PRESETS = {
    "damaged preset": (damage, "weights.safetensors is damaged: its SHA-256"),
    "newer preset": (age, "is of format 99"),
}
BAD_OPTIONS = {
    "no folder for the picture": (["--explain", "TMP/nowhere/why.png"], "there is no folder"),
    "picture of unknown kind": (["--explain", "TMP/why.txt"], "end its name in .png"),
    "unknown preset": (["--preset", "nonesuch"], "there is no preset 'nonesuch'; use one of"),
    "picture without maps": (["--preset", "mobilefacenet"], "has no maps to explain"),
    "unknown rate": (["--fmr", "0.05"], "has no threshold for FMR 0.05; use one of 0.01"),
    "rate that is no number": (["--fmr", "nan"], "has no threshold for FMR nan"),
    "unknown face rule": (["--face", "prettiest"], "no face rule 'prettiest'"),
    "not aligned": (["--aligned"], "an aligned face is 112×112"),
}


@pytest.mark.parametrize("case", BAD_PHOTOS)
def test_bad_photo(preset, tmp_path, capsys, case):
    make, sentence = BAD_PHOTOS[case]
    bad = tmp_path / ("bad.png" if case in ("one pixel", "bomb", "faceless") else "bad.jpg")
    make(bad)
    check_refusal(tmp_path, capsys, [str(bad), OBAMA, "--preset", preset], sentence)


def test_bad_second_photo(preset, tmp_path, capsys):
    arguments = [OBAMA, str(tmp_path / "missing.jpg"), "--preset", preset]
    check_refusal(tmp_path, capsys, arguments, "missing.jpg; check the path")


@pytest.mark.parametrize("case", BAD_PRESETS)
def test_bad_preset(preset, tmp_path, capsys, case):
    change, sentence = BAD_PRESETS[case]
    copy = tmp_path / "preset"
    shutil.copytree(preset, copy)
    change(copy)
    check_refusal(tmp_path, capsys, [OBAMA, OBAMA2, "--preset", str(copy)], sentence)


@pytest.mark.parametrize("case", BAD_OPTIONS)
def test_bad_option(preset, tmp_path, capsys, case):
    options, sentence = BAD_OPTIONS[case]
    options = [option.replace("TMP", str(tmp_path)) for option in options]
    check_refusal(tmp_path, capsys, [OBAMA, OBAMA2, "--preset", preset, *options], sentence)


def check_refusal(tmp_path, capsys, arguments, sentence):
    """One sentence on standard error, exit code 2, and not a file more than before."""
    before = sorted(tmp_path.rglob("*"))
    if "--explain" not in arguments:
        arguments = [*arguments, "--explain", str(tmp_path / "why.png")]
    assert main(["verify", *arguments, "--json"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("xcos verify: error: ")
    assert captured.err.count("\n") == 1
    assert captured.err.endswith("\n")
    assert sentence in captured.err
    assert "Traceback" not in captured.err
    assert sorted(tmp_path.rglob("*")) == before


def test_a_photo_from_standard_input(preset, monkeypatch, tmp_path, capsys):
    def run(data, *options):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(data)))
        return main(["verify", OBAMA, "-", "--preset", preset, "--threshold", "-1", *options])

    assert run(Path(OBAMA2).read_bytes(), "--json", "--explain", str(tmp_path / "a.png")) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["photos"] == [OBAMA, "-"]
    assert main(["verify", OBAMA, OBAMA2, "--preset", preset, "--threshold", "-1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["score"] == answer["score"]
    assert run(b"") == 2
    assert "is empty (0 bytes)" in capsys.readouterr().err
    assert run(b"no photo") == 2


def test_an_attention_of_a_preset_without_one(capsys):
    options = ["--preset", "mobilefacenet", "--attention", "patched"]
    assert main(["verify", OBAMA, OBAMA2, *options]) == 2
    error = capsys.readouterr().err
    assert "a plain cosine, and no attention to choose; leave the attention out" in error


def test_pictures_and_json_of_names_that_no_terminal_shows(preset, tmp_path, capsys):
    photo, picture = tmp_path / os.fsdecode(b"two\nlines\xff.jpg"), tmp_path / "a\nb.png"
    shutil.copy(OBAMA, photo)
    options = ["--preset", preset, "--threshold", "-1", "--explain", str(picture)]
    assert main(["verify", str(photo), OBAMA2, *options]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == f"picture: {tmp_path}/a\\nb.png"
    assert main(["verify", str(photo), OBAMA2, *options, "--json"]) == 0
    out = capsys.readouterr().out
    assert out.isascii() and json.loads(out)["photos"] == [str(photo), OBAMA2]


def test_a_photo_upside_down_is_turned_and_told(photos, tmp_path, capsys):
    path = tmp_path / "upside-down.png"
    Image.open(photos / "obama.jpg").rotate(180).save(path)
    assert main(["verify", str(path), str(photos / "obama2.jpg"), "--json"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["turned"] == [180, 0]
    assert "upside-down.png was turned by 180° clockwise" in printed.err
