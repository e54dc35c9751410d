"""`xcos verify --pairs`: a row for each pair, each face embedded once, also by a second start."""

import csv

import pytest

from xcos_tf import Verifier
from xcos_tf.cli.main import main
from xcos_tf.evaluation.verdicts import COLUMNS

PAIRS = ("obama,obama2", "obama,biden", "obama,none", "biden,obama2", "obama,obama2")


@pytest.fixture
def listed(photos, tmp_path):
    for name in ("obama", "obama2", "biden"):
        (tmp_path / f"{name}.jpg").write_bytes((photos / f"{name}.jpg").read_bytes())
    rows = (f"{i},{pair.replace(',', '.jpg,')}.jpg\n" for i, pair in enumerate(PAIRS))
    (tmp_path / "pairs.csv").write_text("number,first,second\n" + "".join(rows))
    return tmp_path / "pairs.csv"


@pytest.fixture
def embedded(monkeypatch):
    """How many faces went through the backbone."""
    counts, embed = [], Verifier.embed

    def counted(self, faces):
        counts.append(len(faces))
        return embed(self, faces)

    monkeypatch.setattr(Verifier, "embed", counted)
    return counts


def verify(listed, *words):
    out = listed.with_name("results.csv")
    return main(["verify", "--pairs", str(listed), "--out", str(out), *words])


def test_each_pair_has_a_row(listed, embedded, capsys):
    assert verify(listed) == 0
    said = capsys.readouterr().out
    assert said.startswith("5 pairs: 2 the same person, 2 different people, 1 failed; ")
    assert sum(embedded) == 3
    with open(listed.with_name("results.csv"), newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert [f"{x['first'][:-4]},{x['second'][:-4]}" for x in rows] == list(PAIRS)
    assert [x["same"] for x in rows] == ["1", "0", "", "0", "1"]
    expected = Verifier.from_preset().verify(
        *(listed.with_name(x) for x in ("obama.jpg", "biden.jpg"))
    )
    assert float(rows[1]["score"]) == pytest.approx(expected.score, abs=1e-5)
    assert rows[1]["threshold"] == f"{expected.threshold:.6f}"
    assert rows[1]["sentence"] == expected.sentence and rows[1]["error"] == ""
    assert "none.jpg" in rows[2]["error"] and rows[2]["score"] == ""


def test_a_run_that_was_stopped_goes_on(listed, embedded):
    out = listed.with_name("results.csv")
    assert verify(listed) == 0
    whole = out.read_bytes()
    lines = whole.splitlines(keepends=True)
    out.write_bytes(b"".join(lines[:4]) + lines[4][:20])
    embedded.clear()
    assert verify(listed) == 0
    assert out.read_bytes() == whole and sum(embedded) == 3
    embedded.clear()
    assert verify(listed) == 0 and out.read_bytes() == whole and sum(embedded) == 0


REFUSED = {
    "another threshold": (
        f"{','.join(COLUMNS)}\r\nobama.jpg,obama2.jpg,1,0.7,p,learned,0.5,,\r\n",
        None,
    ),
    "another table": ("a,b\r\n", None),
    "a cell without end": (f"{','.join(COLUMNS)}\r\n{'x' * 200_000}\r\n", None),
    "no columns": (None, "a.jpg,b.jpg\n"),
    "no pairs": (None, "first,second\n"),
    "no second": (None, "first,second\na.jpg\n"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_wrong_is_one_sentence_and_nothing_is_lost(listed, capsys, case):
    results, pairs = REFUSED[case]
    out = listed.with_name("results.csv")
    if results:
        out.write_text(results, newline="")
    if pairs:
        listed.write_text(pairs)
    assert verify(listed) == 2
    [sentence] = capsys.readouterr().err.splitlines()
    assert ("results.csv" if results else "pairs.csv") in sentence
    assert (out.read_bytes().decode() if out.exists() else None) == results


@pytest.mark.parametrize(
    "words", [["--pairs", "x"], ["a.jpg", "--pairs", "x", "--out", "y"], ["a.jpg"], ["--out", "y"]]
)
def test_options_that_do_not_fit(capsys, words):
    assert main(["verify", *words]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_attention_that_the_preset_lacks_leaves_no_table(listed, capsys):
    words = ("--preset", "mobilefacenet", "--attention", "learned", "--threshold", "0.5")
    assert verify(listed, *words) == 2
    assert "leave the attention out" in capsys.readouterr().err
    assert not listed.with_name("results.csv").exists()
