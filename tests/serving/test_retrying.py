import itertools
import time

import pytest

from xcos_tf.errors import XcosError
from xcos_tf.serving.client import FIRST_PAUSE, call_with_retries
from xcos_tf.serving.errors import DeadlineExceeded, ServerUnavailable


def attempts_of(faults, seconds=60.0, attempts=5):
    """Call what raises these faults in turn; return the result and each attempt's time left."""
    left, faults = [], list(faults)

    def attempt(seconds):
        left.append(seconds)
        if faults:
            raise faults.pop(0)
        return "answer"

    try:
        return call_with_retries(attempt, seconds, attempts), left
    except XcosError as error:
        return error, left


def test_again_until_it_works():
    answer, left = attempts_of([ServerUnavailable("1"), ServerUnavailable("2")])
    assert answer == "answer"
    assert len(left) == 3
    assert 60 >= left[0] > left[1] > left[2]


def test_the_last_fault_is_the_one_that_is_told():
    fault, left = attempts_of([ServerUnavailable(str(i)) for i in range(9)], attempts=3)
    assert (str(fault), len(left)) == ("2", 3)


@pytest.mark.parametrize("kind", [XcosError, DeadlineExceeded])
def test_other_faults_are_final(kind):
    fault, left = attempts_of([kind("no")])
    assert (str(fault), len(left)) == ("no", 1)


def test_no_pause_goes_past_the_end():
    start = time.monotonic()
    fault, left = attempts_of([ServerUnavailable("x")] * 999, seconds=0.5, attempts=999)
    assert isinstance(fault, ServerUnavailable)
    assert len(left) >= 2
    assert time.monotonic() - start < 1.5


def test_pauses_grow_and_differ():
    pauses = []
    for _ in range(8):
        _, left = attempts_of([ServerUnavailable("x")] * 3, attempts=4)
        pauses.append([before - after for before, after in itertools.pairwise(left)])
    first, _, third = zip(*pauses, strict=True)
    assert max(first) - min(first) > 0.005
    assert (
        max(third) > FIRST_PAUSE
    )  # one of six is under a quarter of its range by chance 1 in 4,096
