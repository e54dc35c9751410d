"""Intervals against their definition, published figures, SciPy and simulated sets of pairs."""

import numpy as np
import pytest
from scipy import stats
from scipy.stats import binom, binomtest, norm

from xcos_tf.errors import XcosError
from xcos_tf.metrics.intervals import (
    Estimate,
    format_rate,
    mean_over_pairs,
    share,
    tar_at_far_rate,
)
from xcos_tf.metrics.rates import Rate, tar_at_far

RUNS = 1000


@pytest.mark.parametrize(
    ("count", "low", "high"),
    # The 95 % limits for ten trials as printed in tables of Clopper and Pearson's interval.
    [(0, 0, 0.3085), (1, 0.0025, 0.4450), (5, 0.1871, 0.8129), (10, 0.6915, 1)],
)
def test_share_is_as_tabulated(count, low, high):
    rate = share(count, 10)
    assert rate.value == count / 10
    assert (rate.low, rate.high) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize("count", [0, 1, 3, 1500, 2999, 3000])
def test_share_is_scipys(count):
    rate, reference = share(count, 3000), binomtest(count, 3000).proportion_ci(0.95, "exact")
    assert (rate.low, rate.high) == pytest.approx(tuple(reference), abs=1e-9)


def test_share_covers_whatever_the_truth_is():
    rates = [share(count, 25) for count in range(26)]
    covered = [
        sum(
            binom.pmf(k, 25, truth)
            for k, rate in enumerate(rates)
            if rate.low <= truth <= rate.high
        )
        for truth in np.linspace(0.001, 0.999, 333)
    ]
    assert 0.95 <= min(covered) < 0.96


def simulate(random, count, far, decimals=None, runs=RUNS):
    """Yield (interval, true TAR) of drawn sets of `count` genuine and `count` impostor pairs."""
    threshold = norm.isf(far)
    if decimals is not None:
        # A score rounds to more than t, of its steps, when it exceeds t by half a step or more.
        step = 10.0**-decimals
        steps = np.round(np.arange(-9, 9, step), decimals)
        threshold = steps[norm.sf(steps + step / 2) <= far][0] + step / 2
    truth = norm.sf(threshold, loc=2)
    same = np.arange(2 * count) < count
    for _ in range(runs):
        scores = random.normal(2.0 * same, 1)
        yield (scores if decimals is None else scores.round(decimals)), same, truth


@pytest.mark.parametrize("decimals", [None, 1])
@pytest.mark.parametrize(("count", "far"), [(300, 0.1), (300, 0.01), (3000, 0.1), (3000, 0.01)])
def test_tar_at_far_is_covered(random, count, far, decimals):
    below = above = missed = 0
    widths = []
    for scores, same, truth in simulate(random, count, far, decimals):
        rate = tar_at_far_rate(scores, same, far)
        assert 0 <= rate.low <= rate.value <= rate.high <= 1
        below += truth < rate.low
        above += truth > rate.high
        plain = share(round(rate.value * count), count)
        missed += not plain.low <= truth <= plain.high
        widths.append(rate.high - rate.low)
    assert 1 - (below + above) / RUNS >= 0.94
    assert max(below, above) / RUNS <= 0.035  # 0.025, and what chance may add
    if decimals is None:
        # As if the threshold were known: the reason why it takes more than `share`.
        assert missed / RUNS > 0.1
    # It covers without being so wide as to say nothing.
    expected = {(300, 0.1): 0.27, (3000, 0.1): 0.08, (3000, 0.01): 0.2}
    if decimals is None and (count, far) in expected:
        assert np.mean(widths) < expected[count, far]


@pytest.mark.parametrize(("count", "far"), [(300, 0.01), (436, 0.01), (437, 0.01), (5000, 0.1)])
def test_tar_at_far_follows_from_ranks_of_impostors(count, far):
    """Genuine scores between the impostors' show which ranks were taken."""
    impostor = np.arange(count, 0, -1.0)  # rank 1 first
    genuine = np.arange(count + 1) + 0.5
    total = len(genuine)
    rate = tar_at_far_rate(
        np.concatenate([genuine, impostor]), np.arange(total + count) < total, far
    )
    chance = binom.pmf(np.arange(count + 1), count, far)
    # Rank r is below the true threshold when fewer than r impostors reach it: as rare as 1.25 %.
    highest = max(r for r in range(count) if chance[:r].sum() <= 0.0125)
    # Rank r is above it when r or more do.
    lowest = min(r for r in range(1, count + 2) if chance[r:].sum() <= 0.0125)
    assert rate.value == int(count * far + 1 + 1e-9) / total
    # It takes 437 pairs for a rank above the threshold at 1e-2: 0.99 ** 436 is more than 0.0125.
    if highest == 0:
        assert count in (300, 436) and rate.low == 0
    else:
        # Rank r leaves r genuine pairs above it; the rest of 2.5 % is Clopper and Pearson's.
        left = 0.025 - chance[:highest].sum()
        assert binom.sf(highest - 1, total, rate.low) == pytest.approx(left, rel=1e-6)
    left = 0.025 - chance[lowest:].sum()
    assert binom.cdf(lowest, total, rate.high) == pytest.approx(left, rel=1e-6)


def test_tar_at_far_has_the_value_of_the_metric(pairs):
    scores, same = pairs
    for far in (0.5, 0.1, 0.01):
        assert tar_at_far_rate(scores, same, far).value == tar_at_far(scores, same, far)


def test_few_impostors_bound_nothing_from_below():
    """Of 100 impostors none may be above the true threshold, which is then anywhere above them."""
    scores, same = np.concatenate([np.full(50, 2e9), np.zeros(100)]), np.arange(150) < 50
    assert tar_at_far_rate(scores, same, 0.01) == Rate(1, 0, 1)
    # With 50 genuine pairs alone, all accepted, 93 % would be claimed.
    assert share(50, 50).low > 0.92
    # And where all impostors together may pass, nothing is bounded from above.
    assert tar_at_far_rate(-scores, same, 0.99).high == 1


def test_fewer_than_one_impostor_in_far_is_none(random):
    scores, same = random.normal(size=1500), np.arange(1500) < 500
    assert tar_at_far_rate(scores, same, 1e-3) is not None
    assert tar_at_far_rate(scores[:-1], same[:-1], 1e-3) is None


def test_bad_rates_and_kinds_are_refused(random):
    scores, same = random.normal(size=10), np.arange(10) % 2 == 0
    for far in (0, 1, np.nan):
        with pytest.raises(ValueError, match=r"0 < far < 1.*Received"):
            tar_at_far_rate(scores, same, far)
    with pytest.raises(XcosError, match="all genuine"):
        tar_at_far_rate(scores, np.ones(10, bool), 0.1)


@pytest.mark.parametrize(
    ("rate", "text"),
    [
        (Rate(0.956, 0.93149, 0.97311), "95.60 % (93.1–97.4)"),
        (Rate(0.956, 0.29, 0.57), "95.60 % (29.0–57.0)"),
        (Rate(0.956, 0.0, 1.0), "95.60 % (0.0–100.0)"),
        (Rate(0.01, 0.005, 0.02), "1.00 % (0.5–2.0)"),
        (Rate(0.99, 0.98, 0.995), "99.00 % (98.0–99.5)"),
        (Rate(0.9928, 0.98951, 0.99531), "99.28 % (98.95–99.54)"),
        (share(3, 3000), "0.10 % (0.02–0.30)"),
        (share(0, 3000), "0.00 % (0.00–0.13)"),
        (Rate(1.0, 0.99877, 1.0), "100.00 % (99.87–100.00)"),
    ],
)
def test_rates_are_written(rate, text):
    assert format_rate(rate) == text


def test_the_interval_of_a_mean_is_that_of_the_bootstrap(random):
    values = random.normal(2, 3, 60)
    found = mean_over_pairs(values, seed=1)
    reference = stats.bootstrap(
        (values,), np.mean, method="percentile", n_resamples=20_000, random_state=2
    ).confidence_interval
    assert found.value == pytest.approx(values.mean())
    assert found.low == pytest.approx(reference.low, abs=0.1)
    assert found.high == pytest.approx(reference.high, abs=0.1)
    assert found == mean_over_pairs(values, seed=1) != mean_over_pairs(values, seed=2)


def test_one_pair_says_nothing_of_others():
    assert mean_over_pairs(np.array([0.25])) == Estimate(0.25, 0.25, 0.25)


@pytest.mark.parametrize("values", [np.empty(0), np.zeros((2, 2))])
def test_what_is_no_value_a_pair_is_refused(values):
    with pytest.raises(ValueError, match="one value a pair"):
        mean_over_pairs(values)
