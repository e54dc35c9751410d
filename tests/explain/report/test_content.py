from dataclasses import replace

import pytest

from tests.explain.report.making import make_scores, make_set, measured
from xcos_tf.evaluation.measurement import UnderOcclusion
from xcos_tf.evaluation.results_text import rate_name
from xcos_tf.explain.report.charts import Score
from xcos_tf.explain.report.content import (
    by_score,
    occlusion_table,
    remarks,
    set_facts,
    summary,
)
from xcos_tf.metrics.rates import Rate


def result(vset, name, score="cosine", **changes):
    """Return a score with some of its measurement changed."""
    [(scored, measurement)] = measured(vset, make_scores(vset, preset=name, score=score))
    return scored, replace(measurement, **changes)


def test_the_summary_names_the_best_and_the_best_with_maps():
    vset = make_set()
    results = [
        result(vset, "x", "learned", accuracy=0.90, accuracy_std=0.02),
        result(vset, "y", "flattened", accuracy=0.95, accuracy_std=0.01),
        result(vset, "x", "patched", accuracy=0.80, accuracy_std=0.02),
    ]
    first, second = summary(vset, results)
    assert first == (
        "On people, y (flattened) judges 95.00 ± 1.00 % of the pairs rightly, the most of 3 scores;"
        " of those that show what they are made of, none does better than x (learned), with "
        "90.00 ± 2.00 %."
    )
    at = results[1][1].at_threshold["0.001"]
    assert second == (
        f"At its threshold for FMR 1e-3 (0.50), y (flattened) takes {100 * at.fmr.value:.2f} % of "
        f"the impostor pairs for one person and {100 * at.fnmr.value:.2f} % of the genuine pairs "
        "for two."
    )


def test_the_summary_of_one_score_and_of_one_without_folds():
    vset = make_set()
    best = result(vset, "x", "learned", accuracy=0.9, accuracy_std=0.0)
    assert (
        summary(vset, [best])[0]
        == "On people, x (learned) judges 90.00 ± 0.00 % of the pairs rightly."
    )
    unfolded = result(vset, "x", accuracy=None, accuracy_std=None, auc=0.97, at_threshold={})
    assert summary(vset, [unfolded]) == ["On people, x (cosine) reaches an AUC of 0.9700."]


def test_equally_accurate_scores_are_told_apart_by_auc():
    vset = make_set()
    results = [result(vset, name, accuracy=0.9, auc=auc) for name, auc in (("a", 0.8), ("b", 0.9))]
    sentence = summary(vset, results)[0]
    assert sentence.startswith("On people, b (cosine)")
    assert sentence.endswith("rightly, and none of 2 scores does better.")


def test_facts_of_photos_and_of_videos():
    vset = make_set()
    results = measured(vset, make_scores(vset))
    assert set_facts(vset, results) == {
        "Pairs": "40 (20 genuine, 20 impostor)",
        "Photos": "40, aligned faces",
        "Folds": "4",
        "Left out": "nothing",
        "Fingerprint": "12" * 32,
    }
    videos = replace(vset, videos=[[k] for k in range(40)], aligned=False, skipped=[("a", "b")] * 3)
    assert set_facts(videos, results) == {
        "Pairs": "40 (20 genuine, 20 impostor) of videos",
        "Videos": "40",
        "Frames": "40, aligned on the way",
        "Folds": "4",
        "Left out": "3",
        "Fingerprint": "12" * 32,
    }


def test_empty_cells_are_accounted_for():
    vset = make_set(40, folds=1)
    accuracy, unseen, bound = remarks(measured(vset, make_scores(vset)))
    assert "at least two folds" in accuracy
    assert unseen.startswith("TAR at FAR 1e-2, 1e-3, 1e-4 cannot be observed on 20 impostor pairs")
    assert "begins at 0" in bound


def test_a_table_without_gaps_needs_no_remarks():
    vset = make_set()
    full = {far: Rate(0.9, 0.8, 0.95) for far in (1e-1, 1e-2, 1e-3, 1e-4)}
    assert remarks([result(vset, "x", tar_at_far=full)]) == []


def test_occlusion_is_ordered_by_share_and_gaps_stay_empty():
    rows = [
        UnderOcclusion("b", "learned", 0.5, 0.7, 0.01),
        UnderOcclusion("a", "cosine", 0.1, 0.8, 0.02),
        UnderOcclusion("b", "learned", 0.0, 0.9, 0.03),
    ]
    lines = by_score(rows)
    assert list(lines) == [Score("b", "learned"), Score("a", "cosine")]
    assert [row.share for row in lines["b", "learned"]] == [0.0, 0.5]
    shares, table = occlusion_table(lines)
    assert shares == ["0 %", "10 %", "50 %"]
    assert list(table.values()) == [
        ["90.00 ± 3.00", "—", "70.00 ± 1.00"],
        ["—", "80.00 ± 2.00", "—"],
    ]


@pytest.mark.parametrize(
    "rate, name", [(1e-3, "1e-3"), (0.1, "1e-1"), (0.025, "2.5e-2"), (1e-10, "1e-10"), (1.0, "1e0")]
)
def test_rates_are_written_as_in_the_field(rate, name):
    assert rate_name(rate) == name
