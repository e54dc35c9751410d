from dataclasses import astuple

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from xcos_tf.metrics import histogram, rates
from xcos_tf.metrics.histogram import BINS, bin_of
from xcos_tf.metrics.rates import Rate

FARS = (0.3, 0.1, 0.02)


def histograms(scores, same):
    bins = bin_of(scores)
    return np.bincount(bins[same], minlength=BINS), np.bincount(bins[~same], minlength=BINS)


def test_bins_are_those_of_numpy(random):
    edges = np.linspace(-1, 1, BINS + 1)
    around = np.concatenate([np.nextafter(edges, -2), edges, np.nextafter(edges, 2)])
    for scores in (random.uniform(-1, 1, 10_000), around, around.astype(np.float32)):
        scores = scores[np.abs(scores) <= 1]
        expected, _ = np.histogram(scores, BINS, (-1, 1))
        np.testing.assert_array_equal(np.bincount(bin_of(scores), minlength=BINS), expected)
        np.testing.assert_array_equal(
            bin_of(scores), np.minimum(np.searchsorted(edges, scores, side="right") - 1, BINS - 1)
        )


def test_scores_beyond_the_range_are_in_the_outermost_bins():
    scores = np.array([-7, -1.0000001, -1, 1, 1.0000001, 3e30], np.float32)
    assert bin_of(scores).tolist() == [0, 0, 0, BINS - 1, BINS - 1, BINS - 1]
    assert bin_of(scores.reshape(2, 3)).shape == (2, 3)


@pytest.mark.parametrize("spread", [0.2, 0.0005])
def test_exact_measures_lie_within_the_bounds(random, spread):
    # The narrow spread puts all scores into a few bins, so that the bounds are wide.
    same = random.random(2000) < 0.3
    scores = random.normal(0.3 + spread * same, spread).astype(np.float32)
    counts = histograms(scores, same)
    exact = {
        "auc": (histogram.auc(*counts), rates.auc(scores, same)),
        "eer": (histogram.eer(*counts), rates.eer(scores, same)),
        **{
            far: (histogram.tar_at_far(*counts, far), rates.tar_at_far(scores, same, far))
            for far in FARS
        },
    }
    assert exact["auc"][1] == pytest.approx(roc_auc_score(same, scores))
    for bounded, truth in exact.values():
        assert 0 <= bounded.low <= bounded.value <= bounded.high <= 1
        assert bounded.low - 1e-12 <= truth <= bounded.high + 1e-12
        assert (bounded.high - bounded.low < 0.02) == (spread == 0.2)


def test_bounds_meet_where_no_bin_has_both_kinds(random):
    same = random.random(500) < 0.4
    bins = random.integers(1500, 2500, 500) // 2 * 2 + same  # odd for genuine pairs
    scores = (bins + 0.5) / (BINS / 2) - 1
    counts = histograms(scores, same)
    for bounded, truth in [
        (histogram.auc(*counts), rates.auc(scores, same)),
        *(
            (histogram.tar_at_far(*counts, far), rates.tar_at_far(scores, same, far))
            for far in FARS
        ),
    ]:
        assert astuple(bounded) == pytest.approx([truth] * 3, abs=1e-12)
    # The curve is then straight within each bin, as the value takes it to be.
    assert histogram.eer(*counts).value == pytest.approx(rates.eer(scores, same), abs=1e-12)


def test_bounds_are_met_by_some_scores():
    # One genuine and one impostor pair in a bin: either order is possible, and nothing else.
    genuine, impostor = np.zeros((2, BINS), np.int64)
    genuine[[7, 9]] = impostor[[5, 7]] = 1
    assert histogram.auc(genuine, impostor) == Rate(0.875, 0.75, 1.0)
    assert histogram.tar_at_far(genuine, impostor, 0.5) == Rate(1.0, 1.0, 1.0)
    impostor[3:5] = 1
    assert histogram.tar_at_far(genuine, impostor, 0.3) == Rate(1.0, 1.0, 1.0)
    impostor[8] = 3
    # The fourth highest is to be rejected, in the bin of a genuine pair.
    assert histogram.tar_at_far(genuine, impostor, 3 / 7) == Rate(0.5, 0.5, 1.0)
    assert histogram.eer(genuine, impostor).low == pytest.approx(3 / 7)
    assert histogram.eer(genuine, impostor).high == pytest.approx(0.5)


def test_the_curve_is_straight_within_a_bin():
    genuine, impostor = np.zeros((2, BINS), np.int64)
    genuine[[7, 9]], impostor[[5, 7]] = (3, 1), (2, 2)
    # Across bin 7 FMR rises from 0 to 1/2 and FNMR falls from 3/4 to 0.
    assert astuple(histogram.eer(genuine, impostor)) == pytest.approx((0.3, 0, 0.5))


def test_separated_kinds():
    genuine, impostor = np.zeros((2, BINS), np.int64)
    genuine[-1], impostor[0] = 5, 1000
    assert histogram.auc(genuine, impostor) == Rate(1, 1, 1)
    assert histogram.eer(genuine, impostor) == Rate(0, 0, 0)
    assert histogram.tar_at_far(genuine, impostor, 1e-3) == Rate(1, 1, 1)
    assert histogram.auc(impostor, genuine) == Rate(0, 0, 0)
    assert histogram.eer(impostor, genuine) == Rate(1, 1, 1)


def test_too_few_impostors_for_a_rate():
    genuine = impostor = np.full(BINS, 1, np.int64)
    assert histogram.tar_at_far(genuine, impostor, 1 / 4097) is None
    assert histogram.tar_at_far(genuine, impostor, 1 / 4096) is not None


def test_counts_of_a_country():
    # A million faces give products beyond int64.
    genuine, impostor = np.zeros((2, BINS), np.int64)
    genuine[[10, 20]], impostor[[10, 15]] = 10**10, 10**12
    assert astuple(histogram.auc(genuine, impostor)) == pytest.approx((0.625, 0.5, 0.75))
