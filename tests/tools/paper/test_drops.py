import numpy as np
import pytest
from scipy import stats

from tools.paper.rows import Drop
from tools.paper.under_cover import (
    EQUAL,
    LESS,
    MORE,
    compare_drops,
    interval_of_mean,
    verdict,
)
from xcos_tf.evaluation.measurement import ScoredPairs
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.metrics.rates import kfold_accuracy


def pairs_of(count):
    same = np.arange(count) % 2 == 0
    ends = np.zeros(count, np.int64), np.ones(count, np.int64)
    return PairSet(["a", "b"], *ends, same, np.arange(count) * 10 // count)


def scores(preset, values):
    return ScoredPairs(preset, "", "learned", values.astype(np.float32), {})


def judged(preset, pairs, wrong):
    """Return scores that are far on the right side, but for the pairs that are to be wrong."""
    values = np.where(pairs.same, 1.0, 0.0)
    values[wrong] = 1 - values[wrong]
    return scores(preset, values)


def test_drops_and_differences_by_hand():
    pairs = pairs_of(200)
    of_xcos = {0.0: judged("x", pairs, [0, 1]), 0.1: judged("x", pairs, [1, 2, 3, 4])}
    of_baseline = {0.0: judged("b", pairs, []), 0.1: judged("b", pairs, range(100, 110))}
    rows = compare_drops(of_xcos, of_baseline, pairs)
    assert [row.share for row in rows] == [0.1, 0.0]
    for row in rows:  # of one share, the mean is that share's
        assert (row.preset, row.baseline, row.score) == ("x", "b", "learned")
        assert row.lost == pytest.approx(2 / 200)
        assert row.baseline_lost == pytest.approx(10 / 200)
        assert row.difference == pytest.approx(-8 / 200)
        assert row.low < row.difference < row.high < 0
        assert verdict(row) == LESS
    swapped = compare_drops(of_baseline, of_xcos, pairs)
    assert [verdict(row) for row in swapped] == [MORE, MORE]


def test_drops_are_those_of_accuracy_over_folds(random):
    pairs = pairs_of(600)
    shares = (0.0, 0.2, 0.4)
    made = [
        {x: scores(n, random.normal(pairs.same * (2 - x * w), 0.7)) for x in shares}
        for n, w in (("x", 2.0), ("b", 4.0))
    ]
    accuracy = [
        {x: kfold_accuracy(s.values, pairs.same, pairs.fold).mean for x, s in of.items()}
        for of in made
    ]
    rows = compare_drops(*made, pairs)
    lost = [[of[0.0] - of[x] for x in shares[1:]] for of in accuracy]
    for i, row in enumerate(rows[:-1]):
        assert row.lost == pytest.approx(lost[0][i])
        assert row.baseline_lost == pytest.approx(lost[1][i])
    assert rows[-1].lost == pytest.approx(np.mean(lost[0]))
    assert rows[-1].difference == pytest.approx(np.mean(lost[0]) - np.mean(lost[1]))
    assert verdict(rows[-1]) == LESS
    assert rows == compare_drops(*made, pairs)


def test_the_interval_is_that_of_the_bootstrap(random):
    values = random.choice([-1.0, 0.0, 0.2, 1.0], 500, p=[0.1, 0.6, 0.2, 0.1])
    reference = stats.bootstrap(
        (values,), np.mean, n_resamples=20_000, method="percentile", batch=500
    ).confidence_interval
    assert interval_of_mean(values) == pytest.approx(tuple(reference), abs=0.003)


@pytest.mark.parametrize(
    "low, high, words", [(-0.2, -0.1, LESS), (0.1, 0.2, MORE), (-0.1, 0.1, EQUAL), (0, 0, EQUAL)]
)
def test_only_what_is_sure_is_said(low, high, words):
    assert verdict(Drop("x", "b", "learned", 0.1, 0, 0, 0, low, high)) == words
