import json
from dataclasses import replace

import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.measurement import FALSE_ACCEPT_RATES, ScoredPairs, as_row, measure
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.metrics import rates
from xcos_tf.metrics.intervals import share

THRESHOLDS = {"0.01": 0.55, "0.001": 0.8}


@pytest.fixture
def photo_pairs(random):
    """500 genuine and 1,500 impostor pairs of 40 photos, in ten folds."""
    ends = random.integers(0, 40, (2, 2000))
    return PairSet(
        photos=[f"someone/{k}.jpg" for k in range(40)],
        first=ends[0],
        second=ends[1],
        same=np.arange(2000) % 4 == 0,
        fold=np.arange(2000) // 200,
    )


@pytest.fixture
def scored(random, photo_pairs):
    values = random.normal(0.6 * photo_pairs.same, 0.25).round(2).astype(np.float32)
    return ScoredPairs("a-preset", "0" * 64, "learned", values, dict(THRESHOLDS))


def test_everything_is_measured(scored, photo_pairs):
    measured, same = measure(scored, photo_pairs), photo_pairs.same
    folds = rates.kfold_accuracy(scored.values, same, photo_pairs.fold)
    assert (measured.accuracy, measured.accuracy_std) == (folds.mean, folds.std)
    assert measured.auc == rates.auc(scored.values, same)
    assert measured.eer == rates.eer(scored.values, same)
    assert (measured.genuine, measured.impostor) == (500, 1500)
    assert tuple(measured.tar_at_far) == FALSE_ACCEPT_RATES
    assert measured.tar_at_far[1e-4] is None
    for far in (1e-1, 1e-2, 1e-3):
        assert measured.tar_at_far[far].value == rates.tar_at_far(scored.values, same, far)
    assert measured.at_threshold.keys() == THRESHOLDS.keys()
    for fmr, threshold in THRESHOLDS.items():
        at = measured.at_threshold[fmr]
        assert at.threshold == threshold
        expected = rates.fmr_fnmr(scored.values, same, threshold)
        assert (at.fmr.value, at.fnmr.value) == expected
        assert at.fmr == share(round(expected[0] * 1500), 1500)
        assert at.fnmr == share(round(expected[1] * 500), 500)


def test_a_score_is_held_against_the_threshold_itself():
    """It passes at a threshold that it equals, and at none above, be that nearer than float32."""
    pairs = PairSet(["a", "b"], *np.zeros((2, 2), int), np.array([False, True]), np.arange(2))
    values = np.full(2, 0.1, np.float32)
    equal = float(values[0])
    scored = ScoredPairs("p", "", "cosine", values, {"0.1": equal, "0.01": np.nextafter(equal, 1)})
    at = measure(scored, pairs).at_threshold
    assert (at["0.1"].fmr.value, at["0.1"].fnmr.value) == (1, 0)
    assert (at["0.01"].fmr.value, at["0.01"].fnmr.value) == (0, 1)


def test_accuracy_needs_folds_that_can_be_judged(scored, photo_pairs):
    one_class = np.where(np.arange(2000) == 0, 10, photo_pairs.fold)
    for fold in (np.zeros(2000, np.int64), one_class):
        measured = measure(scored, replace(photo_pairs, fold=fold))
        assert measured.accuracy is None and measured.accuracy_std is None
        whole = measure(scored, photo_pairs)
        assert measured == replace(whole, accuracy=None, accuracy_std=None)


def test_no_spread_is_told_from_no_accuracy():
    pairs = PairSet(["a"], *np.zeros((2, 4), int), np.arange(4) % 2 == 0, np.arange(4) // 2)
    measured = measure(ScoredPairs("p", "", "cosine", -1.0 * pairs.same, {}), pairs)
    assert (measured.accuracy, measured.accuracy_std, measured.at_threshold) == (0.5, 0, {})


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_scores_that_are_no_numbers_are_refused(scored, photo_pairs, bad):
    scored.values[[70, 1900]] = bad
    with pytest.raises(ValueError, match="2 of 2000 NaN or infinite"):
        measure(scored, photo_pairs)


def test_pairs_of_one_kind_and_wrong_numbers_are_refused(scored, photo_pairs):
    with pytest.raises(XcosError, match="all impostor"):
        measure(scored, replace(photo_pairs, same=np.zeros(2000, bool)))
    with pytest.raises(ValueError, match=r"shape \(1999,\)"):
        measure(replace(scored, values=scored.values[:-1]), photo_pairs)


def test_a_row_is_plain_json(scored, photo_pairs):
    measured = measure(scored, photo_pairs)
    row = json.loads(json.dumps(as_row(measured), allow_nan=False))
    assert row == as_row(measured)
    assert list(row["tar_at_far"]) == ["0.1", "0.01", "0.001", "0.0001"]
    assert row["tar_at_far"]["0.0001"] is None
    tar = measured.tar_at_far[1e-2]
    assert row["tar_at_far"]["0.01"] == {"value": tar.value, "low": tar.low, "high": tar.high}
    assert row["at_threshold"]["0.01"]["threshold"] == 0.55
    assert row["at_threshold"]["0.01"]["fmr"]["high"] == measured.at_threshold["0.01"].fmr.high
    assert (row["accuracy"], row["genuine"]) == (measured.accuracy, 500)
