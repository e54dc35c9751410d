"""Changed decisions, counted by hand."""

import numpy as np
import pytest

from tools.tflite.pricing import Judged, changed
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.metrics.rates import KFoldAccuracy

SAME = np.array([True, True, False, False, False, False, True, False])
FOLD = np.array([3, 3, 3, 3, 3, 3, 9, 9])
ENDS = np.zeros(8, int)
PAIRS = PairSet(["a/a_1.jpg"], ENDS, ENDS, SAME, FOLD)


def judged(scores, thresholds):
    per_fold = np.full(2, 0.5)
    return Judged(np.array(scores), KFoldAccuracy(0.5, 0.0, per_fold, np.array(thresholds)))


def test_kinds_count_alike_in_each_fold():
    base = judged([0.9, 0.3, 0.6, 0.1, 0.1, 0.1, 0.7, 0.2], [0.5, 0.6])
    other = judged([0.9, 0.6, 0.4, 0.1, 0.1, 0.1, 0.7, 0.2], [0.5, 0.6])
    # Of fold 3 one of two genuine and one of four impostor pairs; of fold 9 none.
    assert changed(other, base, PAIRS).tolist() == pytest.approx([(1 / 2 + 1 / 4) / 2, 0])
    assert changed(base, other, PAIRS).tolist() == changed(other, base, PAIRS).tolist()


def test_changes_that_cancel_out_in_accuracy_are_seen():
    base = judged([0.9, 0.3, 0.1, 0.1, 0.1, 0.1, 0.7, 0.2], [0.5, 0.5])
    other = judged([0.3, 0.9, 0.1, 0.1, 0.1, 0.1, 0.7, 0.2], [0.5, 0.5])
    assert changed(other, base, PAIRS).tolist() == [0.5, 0]


def test_each_decides_by_its_own_threshold():
    base = judged([0.9, 0.3, 0.6, 0.1, 0.1, 0.1, 0.7, 0.2], [0.5, 0.5])
    shifted = judged(base.scores - 0.2, [0.3, 0.3])
    assert changed(shifted, base, PAIRS).tolist() == [0, 0]
    by_its_threshold = judged(base.scores - 0.2, [0.5, 0.3])
    assert changed(by_its_threshold, base, PAIRS).tolist() == [1 / 4 / 2, 0]
