"""`xcos gallery` on people of noise."""

import os
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.verifying import untrained_preset
from xcos_tf.cli.main import main

ROOT = Path(__file__).resolve().parents[2]
PAIRS = """1\t2
person_0\t1\t2
person_1\t1\t2
person_0\t1\tperson_1\t1
person_1\t2\tperson_2\t1
"""


@pytest.fixture(scope="session")
def preset(tmp_path_factory):
    return str(untrained_preset(tmp_path_factory.getbasetemp()))


@pytest.fixture(scope="module")
def people(tmp_path_factory):
    """A folder of three people with two faces each, and `pairs.txt` beside it."""
    root = tmp_path_factory.mktemp("people")
    random = np.random.default_rng(3)
    for person in range(3):
        for photo in (1, 2):
            name = f"person_{person}"
            path = root / "faces" / name / f"{name}_{photo:04d}.png"
            path.parent.mkdir(parents=True, exist_ok=True)
            Image.fromarray(random.integers(0, 256, (112, 112, 3), np.uint8)).save(path)
    (root / "pairs.txt").write_text(PAIRS)
    return root


def test_pictures_and_shares_of_a_list_of_pairs(preset, people, tmp_path, capsys):
    out = tmp_path / "out"
    page = (ROOT / "docs/explanations.md").read_text(encoding="utf-8")
    [line] = re.findall(r"`xcos (gallery .*?)`", page)
    places = {"PRESET": preset, "SET": people / "faces", "[PAIRS]": people / "pairs.txt"}
    words = [str({**places, "DIR": out}.get(word, word)) for word in line.split()]
    assert main([*words, "--aligned"]) == 0
    headline, groups, *_, central, low, pictures = capsys.readouterr().out.splitlines()
    assert headline.startswith(f"{preset} (learned attention) on faces, threshold 0.4")
    assert sum(int(group.split()[0]) for group in groups.split(", ")) == 4
    assert central.startswith("central columns: ") and low.startswith("mouth and chin: ")
    paths = pictures.removeprefix("pictures: ").split(", ")
    assert sorted(paths) == sorted(str(out / name) for name in os.listdir(out))
    assert paths[-1] == str(out / "mean-attention.png") and len(paths) > 1
    for path in paths:
        with Image.open(path) as picture:
            assert picture.format == "PNG" and picture.width > 1500


def test_pairs_are_drawn_by_the_seed(preset, people, tmp_path, monkeypatch):
    import xcos_tf.explain.set_gallery as module

    drawn = []

    def make_gallery(matcher, vset):
        drawn.append([vset.pairs.first.tolist(), vset.pairs.second.tolist()])
        raise KeyboardInterrupt

    monkeypatch.setattr(module, "make_gallery", make_gallery)
    options = ["--aligned", "--draw", "2", "--out", str(tmp_path / "out")]
    for seed in ([], ["--seed", "0"], ["--seed", "5"]):
        assert main(["gallery", preset, str(people / "faces"), *options, *seed]) == 130
    assert drawn[0] == drawn[1] != drawn[2] and len(drawn[0][0]) == 4
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    "arguments, sentence",
    [
        (["mobilefacenet", "FACES", "PAIRS"], "has no maps to draw; use an xCos preset"),
        (["nonesuch", "FACES", "PAIRS"], "there is no preset 'nonesuch'"),
        (["PRESET", "FACES"], "is a folder; give a list of pairs"),
        (["PRESET", "nowhere", "PAIRS"], "give a folder of photos or a .bin file"),
        (["PRESET", "FACES", "--draw", "0"], "--draw 0 draws no pairs"),
        (["PRESET", "FACES", "PAIRS", "--select", "a"], "--select is for --draw"),
        (["PRESET", "FACES", "PAIRS", "--seed", "1"], "--seed is for --draw"),
        (["PRESET", "FACES", "--draw", "1", "--seed", "-1"], "--seed -1 is under 0"),
        (["PRESET", "FACES", "PAIRS", "--out", "file"], "file cannot be written; choose another"),
        (["PRESET", "FACES", "PAIRS", "--out", "file/x"], "file/x cannot be written"),
    ],
)
def test_bad_input_is_one_sentence(
    arguments, sentence, preset, people, tmp_path, capsys, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").touch()
    named = {"PRESET": preset, "FACES": people / "faces", "PAIRS": people / "pairs.txt"}
    words = [str(named.get(word, word)) for word in arguments]
    out = [] if "--out" in words else ["--out", "out"]
    assert main(["gallery", *words, "--aligned", *out]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("xcos gallery: error: ") and captured.err.count("\n") == 1
    assert sentence in captured.err
    assert os.listdir(tmp_path) == ["file"]
