"""How long one must wait, by two clocks of which the user can set one."""

import math
import time

import pytest

from xcos_tf.mobile.attempts import LOCKED_AFTER, Attempts, Moment

START = Moment(wall=1e9, running=5e3)


def after(seconds, wall=0.0):
    """Some seconds later, by a clock that was set forward meanwhile."""
    return Moment(START.wall + seconds + wall, START.running + seconds)


def failing(times):
    attempts = Attempts(number=1, failures=0, last=START)
    for _ in range(times):
        attempts = attempts.failed(START)
    return attempts


@pytest.mark.parametrize(
    "failures, wait", [(0, 0), (1, 0), (2, 0), (3, 30), (4, 120), (5, math.inf), (6, math.inf)]
)
def test_waits(failures, wait):
    assert failing(failures).wait(START) == wait


def test_each_writing_has_its_number():
    assert [failing(times).number for times in range(3)] == [1, 2, 3]
    assert failing(2).succeeded(START).number == 4
    assert failing(2).clock_set_back(after(-1)).number == 4


def test_the_wait_runs_out():
    attempts = failing(3)
    assert attempts.wait(after(29)) == 1
    assert attempts.wait(after(30)) == attempts.wait(after(1e6)) == 0


def test_a_lock_out_does_not():
    assert failing(LOCKED_AFTER).wait(after(1e12)) == math.inf


def test_success_begins_anew():
    assert failing(4).succeeded(START) == Attempts(number=6, failures=0, last=START)


def test_setting_the_clock_forward_does_not_help():
    assert failing(3).wait(after(10, wall=1e6)) == 20


def test_after_a_restart_the_wall_clock_counts():
    assert failing(3).wait(Moment(START.wall + 10, running=3)) == 20
    assert failing(3).wait(Moment(START.wall + 31, running=3)) == 0


def test_setting_the_clock_back_begins_the_wait_anew():
    attempts = failing(3)
    back = after(29, wall=-1000)
    assert attempts.wait(back) == 30
    anew = attempts.clock_set_back(back)
    assert (anew.failures, anew.last, anew.wait(back)) == (3, back, 30)
    assert attempts.clock_set_back(START) is None
    assert attempts.clock_set_back(after(1)) is None


def test_now_goes_on():
    first = Moment.now()
    time.sleep(0.01)
    second = Moment.now()
    assert abs(first.wall - time.time()) < 5
    assert 0.01 <= second.running - first.running < 5
