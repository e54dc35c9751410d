from itertools import pairwise

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from xcos_tf.errors import XcosError
from xcos_tf.metrics.rates import (
    auc,
    best_threshold,
    eer,
    fmr_fnmr,
    kfold_accuracy,
    tar_at_far,
    threshold_at_fmr,
    thresholds_at_fmrs,
)


def test_auc_is_scikit_learns(pairs):
    scores, same = pairs
    assert auc(scores, same) == pytest.approx(roc_auc_score(same, scores), abs=1e-12)


def test_eer_lies_on_scikit_learns_roc_curve(pairs):
    scores, same = pairs
    fpr, tpr, _ = roc_curve(same, scores, drop_intermediate=False)
    value = eer(scores, same)
    # Along the curve x runs and 1 − y falls; where x = value, 1 − y = value.
    position = np.linspace(0, 1, 2_000_001)
    steps = np.linspace(0, 1, len(fpr))
    gap = np.interp(position, steps, fpr) - (1 - np.interp(position, steps, tpr))
    crossing = np.interp(position[np.argmin(np.abs(gap))], steps, fpr)
    assert value == pytest.approx(crossing, abs=1e-5)


@pytest.mark.parametrize("far", [0, 0.01, 0.1, 0.5])
def test_tar_at_far_is_the_highest_on_scikit_learns_roc_curve(pairs, far):
    scores, same = pairs
    fpr, tpr, _ = roc_curve(same, scores, drop_intermediate=False)
    assert tar_at_far(scores, same, far) == pytest.approx(tpr[fpr <= far].max(), abs=1e-12)


def test_hand_worked_rates():
    scores = np.array([0.9, 0.8, 0.6, 0.6, 0.4, 0.1])
    same = np.array([True, True, True, False, False, False])
    assert auc(scores, same) == pytest.approx(8.5 / 9)
    # FMR climbs 0 → 1/3 while FNMR falls 1/3 → 0, both at 0.6: they meet half-way.
    assert eer(scores, same) == pytest.approx(1 / 6)
    assert tar_at_far(scores, same, 0.1) == pytest.approx(2 / 3)
    assert tar_at_far(scores, same, 1 / 3) == 1
    assert fmr_fnmr(scores, same, 0.6) == pytest.approx((1 / 3, 0))
    assert fmr_fnmr(scores, same, 0.61) == pytest.approx((0, 1 / 3))


def test_perfect_and_reversed_scores():
    scores, same = np.array([0.1, 0.2, 0.7, 0.8]), np.array([0, 0, 1, 1])
    assert (auc(scores, same), eer(scores, same), tar_at_far(scores, same, 0)) == (1, 0, 1)
    assert (auc(-scores, same), eer(-scores, same), tar_at_far(-scores, same, 0)) == (0, 1, 0)
    assert auc(np.zeros(4), same) == eer(np.zeros(4), same) == 0.5


def brute_force_best(scores, same):
    """Try every way to part the scores; the middle one of the best, counted from below."""
    distinct = np.unique(scores)
    cuts = [distinct[0], *((distinct[1:] + distinct[:-1]) / 2), np.nextafter(distinct[-1], np.inf)]
    accuracy = np.array([np.mean((scores >= cut) == same) for cut in cuts])
    best = np.flatnonzero(accuracy == accuracy.max())
    return cuts[best[(len(best) - 1) // 2]]


def test_best_threshold_is_that_of_brute_force(random):
    for _ in range(300):
        count = random.integers(1, 12)
        scores = random.integers(0, 6, count) / 4
        same = random.random(count) < 0.5
        assert best_threshold(scores, same) == brute_force_best(scores, same)


@pytest.mark.parametrize(
    ("scores", "same", "threshold"),
    [
        ([0.2, 0.6], [0, 1], 0.4),
        # As good at 0.3, 0.5 and 0.7, each with one error of four: the middle one.
        ([0.2, 0.4, 0.4, 0.6, 0.6, 0.8], [0, 1, 0, 0, 1, 1], 0.5),
        # Equal scores cannot be parted, whatever their order.
        ([0.5, 0.5, 0.5, 0.1], [1, 0, 1, 0], 0.3),
        ([0.5, 0.5, 0.5, 0.1], [0, 1, 1, 0], 0.3),
        ([0.3, 0.7], [1, 1], 0.3),
        ([0.3, 0.7], [0, 0], np.nextafter(0.7, 1)),
    ],
)
def test_best_threshold_worked_by_hand(scores, same, threshold):
    assert best_threshold(np.array(scores), np.array(same)) == pytest.approx(threshold, abs=1e-15)


def test_best_threshold_parts_neighbouring_floats():
    low = 0.1
    scores = np.array([low, np.nextafter(low, 1)])
    threshold = best_threshold(scores, np.array([False, True]))
    np.testing.assert_array_equal(scores >= threshold, [False, True])


def test_each_fold_is_judged_by_the_others():
    scores = np.array([0.2, 0.4, 0.6, 0.8, 0.0, 0.5])
    same = np.array([0, 1, 0, 1, 0, 1])
    result = kfold_accuracy(scores, same, np.array([7, 7, 8, 8, 9, 9]))
    # Without fold 7: 0.0− 0.5+ 0.6− 0.8+, best at 0.25 and 0.7, the lower of two taken.
    # Without fold 8: 0.0− 0.2− 0.4+ 0.5+, best at 0.3; without fold 9: 0.3 and 0.7 alike.
    np.testing.assert_allclose(result.thresholds, [0.25, 0.3, 0.3], atol=1e-12)
    np.testing.assert_array_equal(result.per_fold, [1, 0.5, 1])
    assert result.mean == pytest.approx(5 / 6)
    assert result.std == pytest.approx(np.sqrt(2) / 6)


def test_kfold_is_that_of_brute_force(pairs, random):
    scores, same = pairs
    fold = random.permutation(np.arange(300) % 10)
    result = kfold_accuracy(scores, same, fold)
    wide = scores.astype(np.float64)
    for k in range(10):
        threshold = brute_force_best(wide[fold != k], same[fold != k])
        assert result.thresholds[k] == pytest.approx(threshold, abs=1e-12)
        accuracy = np.mean((wide[fold == k] >= threshold) == same[fold == k])
        assert result.per_fold[k] == accuracy


def test_kfold_is_that_of_plain_counting(random):
    """Small folds of unequal size, full of ties, numbered anyhow, in any order."""
    for _ in range(100):
        numbers = random.choice(50, random.integers(2, 5), replace=False)
        fold = random.permutation(np.repeat(numbers, random.integers(2, 7, len(numbers))))
        same = np.zeros(len(fold), bool)
        for number in numbers:
            members = random.permutation(np.flatnonzero(fold == number))
            same[members[: random.integers(1, len(members))]] = True
        scores = random.integers(0, 5, len(fold)) / 8
        result = kfold_accuracy(scores, same, fold)
        for place, number in enumerate(sorted(numbers)):
            others = [(s, x) for s, x, k in zip(scores, same, fold, strict=True) if k != number]
            levels = sorted({score for score, _ in others})
            cuts = [levels[0], *((a + b) / 2 for a, b in pairwise(levels)), levels[-1] + 1e-9]
            right = [sum((score >= cut) == kind for score, kind in others) for cut in cuts]
            best = [cut for cut, count in zip(cuts, right, strict=True) if count == max(right)]
            cut = best[(len(best) - 1) // 2]
            judged = [
                (s >= cut) == x for s, x, k in zip(scores, same, fold, strict=True) if k == number
            ]
            assert result.thresholds[place] == pytest.approx(cut, abs=1e-8)
            assert result.per_fold[place] == pytest.approx(sum(judged) / len(judged))
        assert result.mean == pytest.approx(sum(result.per_fold) / len(numbers))


def test_balanced_accuracy_is_that_of_as_many_pairs_of_each_kind(random):
    """Where each genuine pair is listed four times, as many as there are impostor pairs."""
    for _ in range(50):
        same = np.tile([True, False, False, False, False], 12)
        scores = random.integers(0, 9, 60) / 8 + 0.2 * same
        fold = np.repeat([0, 1, 2], 20)
        found = kfold_accuracy(scores, same, fold, balanced=True)
        times = np.where(same, 4, 1)
        listed = kfold_accuracy(*(np.repeat(x, times) for x in (scores, same, fold)))
        np.testing.assert_array_equal(found.thresholds, listed.thresholds)
        np.testing.assert_allclose(found.per_fold, listed.per_fold, rtol=1e-12)


def test_balanced_threshold_of_one_kind():
    assert best_threshold(np.array([0.3, 0.7]), np.array([True, True]), balanced=True) == 0.3


def test_folds_that_cannot_be_judged_are_refused():
    scores, same = np.array([0.1, 0.9, 0.2, 0.8]), np.array([0, 1, 0, 1])
    with pytest.raises(XcosError, match="all in one fold"):
        kfold_accuracy(scores, same, np.zeros(4, int))
    with pytest.raises(XcosError, match="fold 2 holds impostor pairs only"):
        kfold_accuracy(scores, same, np.array([1, 1, 2, 1]))
    with pytest.raises(XcosError, match="fold 2 holds genuine pairs only"):
        kfold_accuracy(scores, same, np.array([1, 2, 1, 1]))
    with pytest.raises(ValueError, match=r"shape \(4,\)"):
        kfold_accuracy(scores, same, np.zeros(3, int))


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_threshold_at_fmr_is_the_smallest(random, dtype):
    for fmr in (0.5, 0.1, 1e-2, 1e-3):
        for decimals in (1, 3, 9):
            scores = random.normal(0, 0.3, 1000).round(decimals).astype(dtype)
            threshold = threshold_at_fmr(scores, fmr)
            # Both comparisons that NumPy offers: in the scores' type and in a wider one.
            for value, below in (
                (threshold, float(np.nextafter(dtype(threshold), dtype(-1)))),
                (np.float64(threshold), np.float64(np.nextafter(dtype(threshold), dtype(-1)))),
            ):
                assert np.mean(scores >= value) <= fmr
                assert np.mean(scores >= below) > fmr


def test_threshold_at_fmr_worked_by_hand():
    scores = np.array([0.1, 0.2, 0.3, 0.4, 0.5])
    assert threshold_at_fmr(scores, 0.4) == np.nextafter(0.3, 1)
    assert threshold_at_fmr(scores, 0.59) == np.nextafter(0.3, 1)
    assert threshold_at_fmr(scores, 0.2) == np.nextafter(0.4, 1)
    # Equal scores pass together or not at all.
    assert threshold_at_fmr(np.array([0.1, 0.2, 0.5, 0.5, 0.5]), 0.4) == np.nextafter(0.5, 1)


def test_rounding_of_a_rate_costs_no_pair():
    assert 100 * 0.29 < 29
    scores, same = np.arange(101.0), np.arange(101) > 99
    assert threshold_at_fmr(scores[:100], 0.29) == np.nextafter(70, np.inf)
    assert tar_at_far(np.where(same, 70.5, scores), same, 0.29) == 1


@pytest.mark.parametrize(
    ("count", "rates"),
    [(99, []), (100, ["0.01"]), (999, ["0.01"]), (10_000, ["0.01", "0.001", "0.0001"])],
)
def test_a_preset_states_each_rate_that_there_are_pairs_for(count, rates):
    # One of 100 may pass, and so on; scores count from 0.
    expected = {rate: np.nextafter(count - 1 - int(count * float(rate)), np.inf) for rate in rates}
    assert thresholds_at_fmrs(np.arange(float(count))) == expected


def test_too_few_impostors_for_the_rate_are_refused(random):
    scores = random.random(999)
    with pytest.raises(XcosError, match=r"FMR 0\.001 needs at least 1000 impostor pairs.* 999"):
        threshold_at_fmr(scores, 1e-3)
    assert threshold_at_fmr(np.append(scores, 2), 1e-3) < 2


def test_rates_out_of_range_are_refused(random):
    scores, same = random.random(10), np.arange(10) % 2
    for rate in (0, 1, -0.1, np.nan):
        with pytest.raises(ValueError, match=r"0 < fmr < 1.*Received"):
            threshold_at_fmr(scores, rate)
    for rate in (1, -0.1, np.nan):
        with pytest.raises(ValueError, match=r"0 ≤ far < 1.*Received"):
            tar_at_far(scores, same, rate)
    with pytest.raises(ValueError, match="threshold=nan"):
        fmr_fnmr(scores, same, np.nan)


CALLS = {
    "auc": auc,
    "eer": eer,
    "tar_at_far": lambda scores, same: tar_at_far(scores, same, 0.1),
    "fmr_fnmr": lambda scores, same: fmr_fnmr(scores, same, 0.5),
    "kfold_accuracy": lambda scores, same: kfold_accuracy(scores, same, np.arange(8) // 4),
    "threshold_at_fmr": lambda scores, same: threshold_at_fmr(scores, 0.2),
}


@pytest.mark.parametrize("name", CALLS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_scores_that_are_no_numbers_are_refused(name, bad):
    scores, same = np.linspace(0, 1, 8), np.arange(8) % 2
    CALLS[name](scores, same)
    scores[3] = bad
    with pytest.raises(ValueError, match=r"Expected finite .*1 of 8"):
        CALLS[name](scores, same)


@pytest.mark.parametrize("name", sorted(CALLS.keys() - {"threshold_at_fmr"}))
def test_labels_that_fit_no_pairs_are_refused(name):
    scores = np.linspace(0, 1, 8)
    for same in (np.full(8, 2), np.arange(7) % 2, np.array([-1, 1] * 4)):
        with pytest.raises(ValueError, match="Expected same to be booleans"):
            CALLS[name](scores, same)
    for same in (np.ones(8, bool), np.zeros(8, bool)):
        with pytest.raises(XcosError, match=r"genuine|impostor"):
            CALLS[name](scores, same)


def test_no_scores_are_refused():
    with pytest.raises(ValueError, match=r"Received: shape=\(0,\)"):
        auc(np.zeros(0), np.zeros(0, bool))
