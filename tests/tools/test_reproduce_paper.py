"""The paper's tables on drawn faces: all there is, and all there is not."""

import csv
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from tools.generate_faces import draw_face
from tools.pages import fill_tables
from tools.paper import tables
from tools.paper.rows import Accuracy, Drop
from tools.reproduce_paper import main
from tools.results import read_rows
from xcos_tf.evaluation.measurement import measure
from xcos_tf.evaluation.occluded import score_occluded
from xcos_tf.evaluation.open_set import open_set
from xcos_tf.evaluation.protocol import score_set
from xcos_tf.models.presets import find_preset, read_config
from xcos_tf.verifier import Verifier

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "docs" / "results"
PRESETS = ["mobilefacenet", "xcos-mobilefacenet-2", "nonesuch"]
OURS = [
    "mobilefacenet baseline",
    *(f"xcos-mobilefacenet-2 {score}" for score in ("U", "P", "L", "flattened")),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """LFW with two folds of six pairs, and no other set."""
    root = tmp_path_factory.mktemp("data")
    lines = ["2\t3"]
    for fold in "ab":
        for person in range(3):
            folder = root / "lfw" / f"{fold}{person}"
            folder.mkdir(parents=True)
            for photo in (1, 2):
                generators = [np.random.default_rng([ord(fold), person, x]) for x in (0, photo)]
                draw_face(*generators).save(folder / f"{fold}{person}_{photo:04d}.png")
        lines += [f"{fold}{person}\t1\t2" for person in range(3)]
        lines += [f"{fold}{person}\t1\t{fold}{(person + 1) % 3}\t2" for person in range(3)]
    (root / "pairs.txt").write_text("\n".join(lines) + "\n")
    return root


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    """What a run on it made, and how often any backbone was called: (folder, calls, command)."""
    root = tmp_path_factory.mktemp("run")
    command = ["--data", data, "--out", root / "out", "--cache", root / "scores"]
    command = [str(x) for x in (*command, "--presets", *PRESETS)]
    calls, embed = [], Verifier.embed

    def count(self, faces):
        calls.append(len(faces))
        return embed(self, faces)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tables, "verification_ratio", lambda rounds: (0.010, 0.0115))
        patch.setattr(Verifier, "embed", count)
        assert main(command) == 0
        yield root / "out", calls, command


def test_ours_stands_beside_the_papers(run, data):
    out, *_ = run
    rows = read_rows(out / "table-2.csv", Accuracy)
    lfw = [row for row in rows if row.set == "LFW"]
    assert [(row.source, row.column) for row in lfw[:8:4]] == [
        ("paper", "ArcFace baseline"),
        ("paper", "CosFace baseline"),
    ]
    assert [row.column for row in lfw[8:]] == [*OURS, "nonesuch"]
    vset = open_set(data / "lfw", data / "pairs.txt", aligned=True)
    for row, scored in zip(lfw[8:13], score_set(PRESETS[:2], vset), strict=True):
        found = measure(scored, vset.pairs)
        assert (row.accuracy, row.accuracy_std) == (found.accuracy, found.accuracy_std)
        assert (row.auc, row.pairs, row.tar_1e2) == (found.auc, 12, None)
        config = read_config(find_preset(row.preset))
        assert row.preset_sha256 == config["weights"]["sha256"]
        assert row.set_sha256 == vset.fingerprint
    assert lfw[13].status == "not run: there is no preset nonesuch"
    assert lfw[13].accuracy is None
    page = (out / "table-2.md").read_text(encoding="utf-8")
    assert "| LFW | 99.45 | 99.47 | 99.46 | 99.36 | 99.28 | 99.63 | 99.60 | 99.67 | " in page
    assert f"| {100 * lfw[8].accuracy:.2f} ± " in page
    assert vset.fingerprint in page and lfw[8].preset_sha256 in page
    assert f"--data DATA --out {out.as_posix()} --presets mobilefacenet" in page
    assert str(data) not in page.replace(out.as_posix(), "")


def test_what_is_not_there_is_not_run(run):
    out, *_ = run
    rows = read_rows(out / "table-2.csv", Accuracy)
    others = [row for row in rows if row.set != "LFW" and row.source == "xcos_tf"]
    assert others
    for row in others:
        assert row.status.startswith("not run: there is no ")
        assert (row.accuracy, row.auc, row.pairs) == (None, None, None)
    page = (out / "table-2.md").read_text(encoding="utf-8")
    [line] = [line for line in page.splitlines() if line.startswith("| YTF | 95.06 | ")]
    assert line.endswith("| 96.80 |" + " not run |" * 6)
    ar = (out / "fig-5a.md").read_text(encoding="utf-8")
    assert "| mobilefacenet | not run |" in ar and "AR: not run: there is no ar/." in ar


def test_table_1_is_of_lfw(run):
    out, *_ = run
    rows = read_rows(out / "table-1.csv", Accuracy)
    assert [row.column for row in rows[:2]] == ["human", "GaussianFace"]
    assert [row.column for row in rows[6:]] == [*OURS, "nonesuch"]
    assert rows[6:] == [
        row
        for row in read_rows(out / "table-2.csv", Accuracy)
        if (row.set, row.source) == ("LFW", "xcos_tf")
    ]


def test_occlusion_is_compared_with_the_baseline(run, data):
    out, *_ = run
    rows = read_rows(out / "fig-5b.csv", Accuracy)
    vset = open_set(data / "lfw", data / "pairs.txt", aligned=True)
    expected = {
        (share, scored.score): measure(scored, vset.pairs).accuracy
        for share, results in score_occluded(PRESETS[:2], vset).items()
        for scored in results
    }
    found = {(row.share, row.score): row.accuracy for row in rows if row.status == "measured"}
    assert found == expected and len(found) == 6 * 5
    drops = read_rows(out / "fig-5b-drops.csv", Drop)
    assert len(drops) == 4 * 6
    for drop in drops:
        assert (drop.preset, drop.baseline) == ("xcos-mobilefacenet-2", "mobilefacenet")
        if drop.share:
            lost = found[0.0, drop.score] - found[drop.share, drop.score]
            assert drop.lost == pytest.approx(lost)
            lost = found[0.0, "cosine"] - found[drop.share, "cosine"]
            assert drop.baseline_lost == pytest.approx(lost)
    page = (out / "fig-5b.md").read_text(encoding="utf-8")
    for letter in ("U", "P", "L", "flattened"):
        [line] = [x for x in page.splitlines() if x.startswith(f"- xcos-mobilefacenet-2 {letter} ")]
        assert " over all shares: " in line


def test_the_cost_is_a_ratio(run):
    out, *_ = run
    page = (out / "cost.md").read_text(encoding="utf-8")
    assert "| paper | 6.1 | 6.7 | 1.10 |\n| xcos_tf | 10.0 | 11.5 | 1.15 |" in page


def test_pictures_show_something(run):
    out, *_ = run
    for name in ("table-1", "table-2", "fig-5a", "fig-5b", "cost"):
        with Image.open(out / f"{name}.png") as image:
            assert np.asarray(image.convert("L")).std() > 5
        assert f"({name}.png)" in (out / f"{name}.md").read_text(encoding="utf-8")


def test_a_second_run_computes_nothing_again(run):
    out, calls, command = run
    first = {path.name: path.read_bytes() for path in out.iterdir()}
    before = len(calls)
    assert main(command) == 0
    assert len(calls) == before
    assert {path.name: path.read_bytes() for path in out.iterdir()} == first


def test_a_part_by_itself_leaves_the_others(run, capsys):
    out, _, command = run
    before = {path.name: path.read_bytes() for path in out.iterdir()}
    assert main([*command, "--only", "cost"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("# Time for one pair") and "# Table" not in printed
    after = {path.name: path.read_bytes() for path in out.iterdir()}
    assert {name for name in before if after[name] != before[name]} == {"cost.md"}  # the command


def test_pages_are_filled(run, tmp_path):
    out, _, command = run
    page = tmp_path / "page.md"
    page.write_text("a\n<!-- table: lfw -->\nold\n<!-- end -->\nb\n", encoding="utf-8")
    assert main([*command, "--only", "cost", "--readme", str(page)]) == 0
    start, *table, end, last = page.read_text(encoding="utf-8").splitlines()[1:]
    assert (start, end, last) == ("<!-- table: lfw -->", "<!-- end -->", "b")
    assert table == fill_tables(page.read_text("utf-8"), out).splitlines()[2:-2]
    with open(out / "table-2.csv", encoding="utf-8", newline="") as stream:
        measured = [row for row in csv.DictReader(stream) if row["status"] == "measured"]
    assert len(table) == 2 + len(measured) == 7
    for line, row in zip(table[2:], measured, strict=True):
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        assert cells[0] == f"`{row['preset']}`"
        assert cells[2].startswith(f"{100 * float(row['accuracy']):.2f} ± ")
        gap = 100 * (float(measured[0]["accuracy"]) - float(row["accuracy"]))
        assert cells[3] == ("" if row["score"] == "cosine" else f"{gap:.2f}".replace("-", "−"))


@pytest.mark.parametrize(
    "page, table",
    [
        ("docs/evaluation.md", "lfw"),
        ("docs/occlusion.md", "claims"),
        ("docs/occlusion.md", "drops"),
    ],
)
def test_pages_and_committed_results_agree(page, table):
    text = (ROOT / page).read_text(encoding="utf-8")
    assert f"<!-- table: {table} -->" in text
    assert fill_tables(text, RESULTS) == text


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--data", "nowhere"], "there is no folder nowhere"),
        (["--readme", "page.md"], "there is no table 'nonesuch'"),
        (["--readme", "open.md"], "a table of the page has no <!-- end -->"),
        (["--readme", "missing.md"], "missing.md cannot be made anew"),
        (["--readme", "empty.md"], "table-2.csv holds no results"),
    ],
)
def test_bad_input_is_one_sentence(options, sentence, data, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(tables, "verification_ratio", lambda rounds: (0.010, 0.0115))
    Path("page.md").write_text("<!-- table: nonesuch -->\n<!-- end -->\n")
    Path("open.md").write_text("<!-- table: lfw -->\n")
    Path("empty.md").write_text("<!-- table: lfw -->\n<!-- end -->\n")
    assert main(["--data", str(data), "--out", "out", "--only", "cost", *options]) == 2
    [error] = capsys.readouterr().err.splitlines()
    assert error.startswith("reproduce_paper: error: ") and sentence in error
