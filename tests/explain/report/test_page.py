import os
import re
from dataclasses import replace
from datetime import date

import numpy as np
import pytest

import xcos_tf
from tests.explain.report.making import SCRIPT, Page, make_scores, make_set, measured
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.measurement import FALSE_ACCEPT_RATES, UnderOcclusion
from xcos_tf.evaluation.verification_set import Skipped
from xcos_tf.explain.report.page import check_report_path, write_report
from xcos_tf.metrics.intervals import format_rate


def no_face(position):
    raise AssertionError("a face was asked for, and none is shown")


@pytest.fixture
def write(tmp_path):
    """A function that writes a report on plain scores and reads it."""

    def make(vset, *scores, face=no_face, **options) -> Page:
        path = tmp_path / "out.html"
        write_report(path, vset, measured(vset, *scores), face, **options)
        assert os.listdir(tmp_path) == ["out.html"]
        return Page(path.read_text(encoding="utf-8"))

    return make


def test_the_tables_hold_what_was_measured(write):
    vset = make_set(4000)
    scores = [make_scores(vset, 1, preset="one"), make_scores(vset, 2, preset="two")]
    page = write(vset, *scores)
    metrics, thresholds = page.tables
    heads, rates, *rows = metrics
    assert heads == ["Preset · score", "Accuracy %", "AUC", "EER %", "TAR % at FAR"]
    assert rates == ["1e-1", "1e-2", "1e-3", "1e-4"]
    results = measured(vset, *scores)
    for row, (scored, x) in zip(rows, results, strict=True):
        tars = [x.tar_at_far[far] for far in FALSE_ACCEPT_RATES]
        assert None in tars
        assert row == [
            f"{scored.preset} · cosine",
            f"{100 * x.accuracy:.2f} ± {100 * x.accuracy_std:.2f}",
            f"{x.auc:.4f}",
            f"{100 * x.eer:.2f}",
            *(format_rate(tar).replace(" %", "") if tar else "—" for tar in tars),
        ]
    expected = [
        [
            rate,
            f"{at.threshold:.4f}",
            *(format_rate(r).replace(" %", "") for r in (at.fmr, at.fnmr)),
        ]
        for _, x in results
        for rate, at in zip(("1e-2", "1e-3"), x.at_threshold.values(), strict=True)
    ]
    assert [row[-4:] for row in thresholds[1:]] == expected
    assert [row[0] for row in thresholds[1:] if len(row) == 5] == ["one · cosine", "two · cosine"]
    counts = [
        (np.sum((x.values >= 0.5) & ~vset.pairs.same), np.sum((x.values < 0.5) & vset.pairs.same))
        for x in scores
    ]
    for accepted, rejected in counts:
        assert (
            f"{accepted:,} of 2,000 impostor pairs are accepted and {rejected:,} of 2,000 genuine "
            "pairs rejected."
        ) in page.text


def test_the_page_says_what_was_measured_when_and_how(write):
    vset = make_set(notes=["Folds are as in the list."])
    page = write(vset, make_scores(vset), command="xcos evaluate A B --report out.html")
    today = date.today()
    for words in (
        f"evaluation report · {today.day} {today:%B %Y}",
        "Face verification on people",
        "40 (20 genuine, 20 impostor)",
        vset.fingerprint,
        f"plain sha256 {make_scores(vset).sha256}",
        "xcos evaluate A B --report out.html",
        "Folds are as in the list.",
        "plain cosine of an embedding",
        f"Made by xcos_tf {xcos_tf.__version__}",
    ):
        assert words in page.text


def test_a_preset_without_a_grid_has_nothing_to_explain(write):
    vset = make_set()
    page = write(vset, make_scores(vset, thresholds={}))
    assert "so there is nothing to explain here" in page.text
    assert len(page.tables) == 1 and "own thresholds" not in page.text
    assert "states no threshold for FMR 1e-3" in page.text
    assert "occlusion" not in page.text
    assert "Nothing was left out" in page.text


def test_folds_that_cannot_be_judged_leave_accuracy_empty(write):
    vset = make_set(folds=1)
    page = write(vset, make_scores(vset))
    assert page.tables[0][2][1] == "—"
    assert "There is no accuracy" in page.text and "AUC of" in page.text


def test_accuracy_under_occlusion_is_a_chart_and_a_table(write):
    vset = make_set()
    rows = [
        UnderOcclusion(preset, "cosine", share, 0.9 - share, 0.05)
        for share in (0.2, 0.0)
        for preset in ("plain", "another")
    ]
    page = write(vset, make_scores(vset), occlusion=rows)
    assert page.tables[-1] == [
        ["Preset · score", "0 %", "20 %"],
        ["plain · cosine", "90.00 ± 5.00", "70.00 ± 5.00"],
        ["another · cosine", "90.00 ± 5.00", "70.00 ± 5.00"],
    ]
    [chart] = [x for x in page.attributes("img") if x["alt"].startswith("Accuracy under")]
    assert (
        "plain (cosine) from 90.00\N{NO-BREAK SPACE}% at 0\N{NO-BREAK SPACE}% covered"
        in chart["alt"]
    )
    # A score has one colour in the legends, in the tables and of what it is drawn with.
    strokes = [x["stroke"] for x in page.attributes("path")]
    assert len(set(strokes)) == 2


@pytest.mark.parametrize("count, folded", [(1, False), (10, False), (11, True)])
def test_all_that_was_left_out_is_listed(write, count, folded):
    entries = [Skipped(f"photo {k}.jpg", f"reason {k}") for k in range(count)]
    vset = make_set(skipped=entries)
    page = write(vset, make_scores(vset))
    assert page.tables[-1] == [["Photo or pair", "Reason"], *map(list, entries)]
    assert len(page.attributes("details")) == folded
    said = (
        "One photo or pair was left out."
        if count == 1
        else f"{count} photos or pairs were left out"
    )
    assert said in page.text
    assert f"Left out {count}" in page.text


def test_a_page_with_everything(report, explained):
    html = report.read_text(encoding="utf-8")
    page = Page(html)
    _, scores = explained
    # Strangers' text is text.
    assert "<script" not in html.lower() and not page.attributes("script")
    for words in (
        f"Face verification on {SCRIPT}",
        f"{SCRIPT}/photo_of_a_person_",
        f"{SCRIPT} 29.jpg",
        f"{SCRIPT}/a_preset_in_a_folder_with_a_long_name",
        f"xcos evaluate {SCRIPT}",
    ):
        assert words in page.text
    # Nothing is fetched and nothing runs.
    assert re.findall(r"\b(?:src|href)=\"(?!data:|#)", html) == []
    assert "url(" not in html and "@import" not in html
    [policy] = [x["content"] for x in page.attributes("meta") if "http-equiv" in x]
    assert policy.startswith("default-src 'none'; img-src data:; style-src 'unsafe-inline'")
    assert not any(name.startswith("on") for _, attributes in page.elements for name in attributes)
    # Whoever does not see it finds the way.
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    assert {x["href"] for x in page.attributes("a")} == {
        f"#{x['id']}" for x in page.attributes("section")
    }
    for tag, names in (("th", ["scope"]), ("img", ["alt"]), ("svg", ["aria-hidden", "aria-label"])):
        found = page.attributes(tag)
        assert found and all(any(map(x.get, names)) for x in found)
    assert [len(page.attributes(tag)) for tag in ("h1", "main", "nav", "header", "footer")] == [
        1
    ] * 5
    # Each picture of a pair: two faces, S and W.
    cases = html.count('class="case"')
    maps = [x["aria-label"] for x in page.attributes("svg") if "aria-label" in x]
    assert cases > 4 and len(maps) == 2 * cases
    for drawn in re.findall(r"<svg [^>]*aria-label.*?</svg>", html, re.DOTALL):
        values = re.findall(r"<title>[^<]*: ([−.\d]+)</title>", drawn)
        low, *_, high = sorted(values, key=lambda value: float(value.replace("−", "-")))
        assert len(values) == 49 and f': {low} to {high}"' in drawn
    assert sum(x["alt"].startswith("Face ") for x in page.attributes("img")) == 2 * cases
    assert len(page.attributes("title")) == 1 + 49 * 2 * cases
    assert f"{scores[0].preset} · learned, at its threshold for FMR 1e-3, 0.4000" in page.text


def test_groups_without_members_say_so(explained, write):
    vset, scores = explained
    learned = next(x for x in scores if x.score == "learned")
    # Nobody errs, and there is no threshold but the best of this set.
    values = np.where(vset.pairs.same, 0.75, 0.25).astype(np.float32)
    perfect = replace(learned, values=values, thresholds={})
    page = write(vset, perfect, face=vset.photos.read)
    assert page.text.count("There are none on this set.") == 2
    for words in (
        "which has no threshold for FMR 1e-3; at the one that gets the most pairs of this set "
        "right, 0.5000",
        "False accepts: 0 Two people, taken for one. There are none on this set.",
        "False rejects: 0 One person, taken for two. There are none on this set.",
        "True accepts: 20 One person, and recognised as such. The 4 surest of 20.",
        "0.75 ≥ 0.50 threshold",
        "0.25 < 0.50 threshold",
    ):
        assert words in page.text


def test_names_need_not_be_unicode(write):
    vset = make_set(skipped=[Skipped("caf\udce9\x00\n\u202egpj.jpg", "no face")])
    page = write(vset, make_scores(vset))
    assert page.tables[-1][1] == ["caf? gpj.jpg", "no face"]


def test_the_same_measurements_give_the_same_page(tmp_path):
    vset = make_set()
    for name in ("a.html", "b.htm"):
        write_report(tmp_path / name, vset, measured(vset, make_scores(vset)), no_face)
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.htm").read_bytes()


def test_a_place_that_cannot_be_written_to_is_refused_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "file").touch()
    for place, words in (
        ("x.pdf", r"end its name in \.html or \.htm"),
        ("folder.html", "which is a folder"),
        ("nowhere/x.html", "there is no folder"),
        ("file/x.html", "there is no folder"),
    ):
        # There is no set yet: whoever looked at it would fail in another way.
        with pytest.raises(XcosError, match=words):
            write_report(tmp_path / place, None, None, None)
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    with pytest.raises(XcosError, match="change the permissions of"):
        check_report_path(tmp_path / "x.html")
    assert sorted(os.listdir(tmp_path)) == ["file", "folder.html"]


def test_a_failure_leaves_the_old_report_and_nothing_else(tmp_path, monkeypatch):
    vset = make_set()
    path = tmp_path / "x.html"
    path.write_text("old")

    def full(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(XcosError, match=r"x\.html \(No space left on device\)"):
        write_report(path, vset, measured(vset, make_scores(vset)), no_face)
    assert path.read_text() == "old" and os.listdir(tmp_path) == ["x.html"]


def test_results_that_do_not_fit_the_set_are_refused(tmp_path):
    vset = make_set()
    [(scored, x)] = measured(vset, make_scores(vset))
    with pytest.raises(ValueError, match="at least one score"):
        write_report(tmp_path / "x.html", vset, [], no_face)
    with pytest.raises(ValueError, match="a value for each of 40 pairs"):
        short = replace(scored, values=scored.values[:-1])
        write_report(tmp_path / "x.html", vset, [(short, x)], no_face)
