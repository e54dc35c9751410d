"""What is lost under cover, from decisions that are counted by hand."""

import numpy as np
import pytest

from tools.tflite.pricing import Judged, covered_rows
from xcos_tf.evaluation.occluded import SHARES
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.metrics.rates import KFoldAccuracy

SAME, FOLD = np.array([True, False] * 2), np.array([0, 0, 1, 1])
PAIRS = PairSet(["a/a_1.jpg"], np.zeros(4, int), np.zeros(4, int), SAME, FOLD)
RIGHT, MISSED = np.array([0.9, 0.1, 0.9, 0.1]), np.array([0.9, 0.1, 0.2, 0.1])
SWAPPED = np.array([0.1, 0.9, 0.9, 0.1])


def judged(scores):
    """Decisions at 0.5, on two folds of a genuine and an impostor pair each."""
    per_fold = np.mean(((scores >= 0.5) == SAME).reshape(2, 2), axis=1)
    folds = KFoldAccuracy(float(per_fold.mean()), float(per_fold.std()), per_fold, np.full(2, 0.5))
    return Judged(scores, folds)


def rows_of(**scores):
    found = covered_rows(
        {name: [judged(x) for x in of_shares] for name, of_shares in scores.items()},
        PAIRS,
        ("preset", "ab", "cd"),
    )
    return {(row.variant, row.share): row for row in found}


def test_losses_are_told_against_float32_and_int8():
    rows = rows_of(
        float32=[RIGHT] * 6,
        int8=[SWAPPED, *[MISSED] * 5],
        qat=[RIGHT, MISSED, *[RIGHT] * 4],
    )
    assert list(rows) == [(x, y) for x in ("float32", "int8", "qat") for y in (*SHARES, None)]
    int8, qat = rows["int8", 0.1], rows["qat", 0.5]
    # One of two genuine pairs is missed, in the second fold: it counts a half there.
    assert (int8.accuracy, int8.lost, int8.lost_error) == (0.75, 0.25, 0.25)
    assert (int8.changed, int8.changed_error) == (0.25, 0.25)
    assert (int8.more, int8.more_error) == (0, 0)
    assert (qat.accuracy, qat.lost, qat.changed, qat.more) == (1, 0, 0, -0.25)
    assert (qat.genuine, qat.impostor) == (2, 2)
    assert rows["float32", 0.3].more == -0.25


def test_the_mean_is_over_the_shares_that_cover_something():
    rows = rows_of(
        float32=[RIGHT] * 6, int8=[SWAPPED, *[MISSED] * 5], qat=[RIGHT, MISSED, *[RIGHT] * 4]
    )
    assert rows["int8", 0.0].lost == 0.5
    assert rows["int8", None].lost == pytest.approx(0.25)
    qat = rows["qat", None]
    assert (qat.lost, qat.more) == (pytest.approx(0.05), pytest.approx(-0.2))
    # Of the folds it is 0 and 0.1 that are lost, 0 and −0.4 more than by int8.
    assert (qat.lost_error, qat.more_error) == (pytest.approx(0.05), pytest.approx(0.2))
    assert qat.changed == pytest.approx(0.05)


def test_without_int8_nothing_is_told_against_it():
    rows = rows_of(float32=[RIGHT] * 6, float16=[MISSED] * 6)
    assert {(row.more, row.more_error) for row in rows.values()} == {(None, None)}
