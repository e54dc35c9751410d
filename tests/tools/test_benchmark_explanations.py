"""The benchmark on a few pairs of photos and of drawn faces, by methods that are fast."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tests.tools.explanations.makers import Right, Wrong
from tools.benchmark_explanations import main
from tools.explanations.summary import AREAS, CurvePoint, Measure
from tools.generate_faces import draw_face
from tools.pages import fill_tables
from tools.results import read_rows
from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.photo import read_photo
from xcos_tf.evaluation.open_set import open_set
from xcos_tf.explain.benchmark import measuring
from xcos_tf.explain.benchmark.measuring import FILLS
from xcos_tf.explain.methods.registry import method
from xcos_tf.verifier import Verifier

pytestmark = pytest.mark.slow

PAIRS = "1\t2\nobama\t1\t2\ndrawn\t1\t2\nobama\t1\tbiden\t1\ndrawn\t1\tbiden\t1\n"
METHODS = ["xcos", "tail", "face-centre", "right", "wrong"]


@pytest.fixture(scope="module")
def data(photos, tmp_path_factory):
    """Aligned faces of three photos and two drawings, and a list of four pairs."""
    root = tmp_path_factory.mktemp("data")
    names = {"obama": ("obama", 1), "obama2": ("obama", 2), "biden": ("biden", 1)}
    aligned = FaceAligner().align([read_photo(photos / f"{name}.jpg") for name in names])
    faces = dict(zip(names.values(), (face.image for face in aligned), strict=True))
    for photo in (1, 2):
        generators = [np.random.default_rng([7, x]) for x in (0, photo)]
        faces["drawn", photo] = np.asarray(draw_face(*generators))
    for (person, photo), face in faces.items():
        folder = root / "faces" / person
        folder.mkdir(parents=True, exist_ok=True)
        Image.fromarray(face).save(folder / f"{person}_{photo:04d}.png")
    (root / "pairs.txt").write_text(PAIRS)
    return root


@pytest.fixture(scope="module")
def with_makers():
    """Two more methods, one of which gives the answer itself and one its opposite."""
    made = {"right": Right, "wrong": Wrong}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            measuring, "method", lambda name: made[name]() if name in made else method(name)
        )
        yield


@pytest.fixture(scope="module")
def run(data, with_makers, tmp_path_factory):
    """What a run on it made, how often any backbone was called, and the command."""
    root = tmp_path_factory.mktemp("run")
    command = ["--out", root / "out", "--cache", root / "kept"]
    command += ["--set", data / "faces", data / "pairs.txt", "--pairs", 4]
    command += ["--sanity-pairs", 1, "--methods", *METHODS]
    command = [str(x) for x in command]
    calls = []

    def counting(embed):
        def count(self, faces):
            calls.append(len(faces))
            return embed(self, faces)

        return count

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Verifier, "embed", counting(Verifier.embed))
        patch.setattr(measuring, "COMPARED_PAIRS", 2)
        assert main(command) == 0
        yield root / "out", calls, command


def test_a_wrong_map_comes_out_last(run):
    rows = read_rows(run[0] / "explanations.csv", Measure)
    of_plain = [row for row in rows if row.preset == "mobilefacenet"]

    def ranked(measure, detail):
        chosen = [row for row in of_plain if (row.measure, row.detail) == (measure, detail)]
        return [row.method for row in sorted(chosen, key=lambda row: row.value)]

    assert ranked("cell ablation", "black")[::4] == ["wrong", "right"]
    assert ranked("cell ablation", "blur")[0] == "wrong"
    for kind in ("genuine", "impostor"):
        for fill in FILLS:
            assert ranked(f"{kind} deletion", fill)[-1] == "wrong"
            assert ranked(f"{kind} insertion", fill)[0] == "wrong"
    [agreement] = [
        row.value
        for row in of_plain
        if (row.method, row.measure, row.detail) == ("right", "cell ablation", "black")
    ]
    # Two of a face's 49 cells may tie in float32: 6.4e-6 less, over four pairs.
    assert agreement == pytest.approx(1, abs=1e-5)


def test_everything_is_in_the_table(run, data):
    out, _, _ = run
    vset = open_set(data / "faces", data / "pairs.txt", aligned=True)
    rows = read_rows(out / "explanations.csv", Measure)
    assert {row.set_sha256 for row in rows} == {vset.fingerprint}
    assert {(row.method, row.score) for row in rows} == {
        ("xcos", "learned"),
        *((name, "cosine") for name in METHODS[1:]),
        *((name, "learned") for name in ("face-centre", "random")),
        ("random", "cosine"),
    }
    measures = {row.measure for row in rows}
    assert measures >= {"seconds", "genuine deletion", "impostor deletion accuracy"}
    for row in rows:
        preset = Verifier.from_preset(row.preset) if row.measure == "seconds" else None
        assert preset is None or row.preset_sha256 == preset.config["weights"]["sha256"]
    counts = {row[4:6]: row.pairs for row in rows if row.method == "xcos"}
    assert counts["cell ablation", "blur"] == counts["ratio", ""] == 4
    assert counts["genuine deletion", "imputed"] == counts["impostor insertion", "imputed"] == 2
    assert counts["genuine deletion", "black"] == 1
    assert {row.pairs for row in rows if row.measure == "shift"} == {1}
    points = read_rows(out / "explanations-curves.csv", CurvePoint)
    for row in rows:
        curve, accuracy, _ = row.measure.partition(" accuracy")
        if curve in AREAS:
            values = [
                x.accuracy if accuracy else x.value
                for x in points
                if (x.method, x.preset, x.measure, x.fill)
                == (row.method, row.preset, curve, row.detail)
            ]
            assert row.value == pytest.approx(np.trapezoid(values, dx=1 / (len(values) - 1)))


def test_the_page_says_how_it_was_made(run, data):
    out, _, _ = run
    page = (out / "explanations.md").read_text(encoding="utf-8")
    fingerprint = open_set(data / "faces", data / "pairs.txt", aligned=True).fingerprint
    assert (
        f"set SHA-256 {fingerprint}" in page and "Preset `mobilefacenet`: weights SHA-256" in page
    )
    made = f"benchmark_explanations.py --set SET --out {out.as_posix()} --pairs 4 --sanity-pairs 1"
    assert made in page
    assert str(data) not in page
    assert (
        "4 pairs, half of them genuine" in page
        and "both faces as they are" in page
        and "- faces, cell ablation, black: xcos is " in page
    )
    with Image.open(out / "explanations.png") as image:
        assert np.asarray(image.convert("L")).std() > 5


def test_a_second_run_computes_nothing_again(run):
    out, calls, command = run
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    before = len(calls)
    assert main(command) == 0
    assert len(calls) == before
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first


def test_a_run_that_was_stopped_goes_on(run, tmp_path, monkeypatch, capsys):
    out, _, command = run
    command = [*command]
    command[1], command[3] = (str(tmp_path / name) for name in ("out", "kept"))
    explained, explain = [], Right.explain

    def stop_later(self, *faces):
        explained.append(1)
        if len(explained) == 7:  # the third pair's, as the first is checked by four
            raise KeyboardInterrupt
        return explain(self, *faces)

    monkeypatch.setattr(Right, "explain", stop_later)
    command = [*command[: -len(METHODS)], "right"]
    assert main(command) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert not [path for path in (tmp_path / "kept").iterdir() if path.suffix != ".safetensors"]
    kept = set((tmp_path / "kept").iterdir())
    # Of two pairs the maps of two methods, their curves by three fills, and the drops by two; of
    # the first the checks too.
    assert len(kept) == 2 * (2 + 2 * 3 + 2) + 2
    before = {path: path.stat().st_mtime_ns for path in kept}
    assert main(command) == 0
    assert {path: path.stat().st_mtime_ns for path in kept} == before
    rows, whole = (
        [
            (row.measure, row.detail, row.value, row.gain)
            for row in read_rows(folder / "explanations.csv", Measure)
            if row.method == "right" and row.measure not in ("seconds", "ratio")
        ]
        for folder in (tmp_path / "out", out)
    )
    assert rows == whole


def test_pages_are_filled(run, tmp_path):
    out, _, command = run
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- table: explanations -->\nold\n<!-- end -->\nb\n", encoding="utf-8")
    assert main([*command, "--readme", str(page)]) == 0
    text = page.read_text(encoding="utf-8")
    assert "| xcos | xcos-mobilefacenet-2 L | " in text and "old" not in text
    assert text == fill_tables(text, out)
    whole = (out / "explanations.md").read_text(encoding="utf-8")
    assert text.split("-->\n")[1].split("<!--")[0] in whole


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--methods", "gradcan"], "there is no method 'gradcan'"),
        (["--pairs", "3"], "3 cannot be drawn; give an even number"),
        (["--pairs", "6"], "2 genuine and 2 impostor pairs, so that 6 cannot be drawn"),
        (["--cache", "a-file"], "scores cannot be kept in a-file"),
        (["--readme", "missing.md"], "missing.md cannot be made anew"),
    ],
)
def test_bad_input_is_one_sentence(options, sentence, run, data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    Path("a-file").touch()
    _, _, command = run
    assert main([*command, *options]) == 2
    error = capsys.readouterr().err.splitlines()[-1]
    assert error.startswith("benchmark_explanations: error: ") and sentence in error


@pytest.mark.parametrize(
    "places, sentence",
    [
        (["nowhere", "pairs.txt"], "there is no nowhere"),
        (["."], ". is a folder; give a list of pairs"),
    ],
)
def test_a_set_that_is_not_there_is_one_sentence(places, sentence, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    assert main(["--set", *places, "--out", "out"]) == 2
    [error] = capsys.readouterr().err.splitlines()
    assert error.startswith("benchmark_explanations: error: ") and sentence in error
    assert not Path("out").exists()


def test_help_is_instant():
    program = """
import sys
from tools.benchmark_explanations import build_parser
assert "--methods" in build_parser().format_help()
heavy = {"tensorflow", "keras", "numpy", "matplotlib", "scipy"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", program], check=True)
