import numpy as np
import pytest
from scipy import stats

from xcos_tf.explain.faithfulness.estimate import Estimate, mean_over_pairs


def test_the_interval_is_that_of_the_bootstrap(random):
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
