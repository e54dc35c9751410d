"""The load test itself, short: a server in a process of its own, killed in the middle."""

import types

import numpy as np

from tools.load_test_serving import Load, Tally, as_text, run


def test_no_wrong_answer_and_every_failure_reported(served_folder):
    tally, gone = run(served_folder, clients=4, seconds=6, timeout=30)
    assert tally.passed, as_text(tally, gone)
    assert gone > 0
    assert tally.reported["ServerUnavailable"] > 0  # the clients did meet a server that was away
    assert "wrong answers: 0\n" in as_text(tally, gone)


def test_wrong_late_lost_and_unreported_would_be_noticed():
    good = {"right": 2, "begun": 2, "before": 1, "after": 1}
    assert Tally(**good).passed
    for bad in (
        {"wrong": 1, "begun": 3},
        {"begun": 3},
        {"late": 1},
        {"unreported": ["KeyError()"], "begun": 3},
        {"after": 0},
    ):
        assert not Tally(**{**good, **bad}).passed


def test_what_a_right_answer_is():
    load = Load(("localhost", "http://localhost"), 0, 1)
    row = {name: value[3:4].copy() for name, value in load._answers.items()}
    same = np.array([load._same[3]])
    assert load._is_right(types.SimpleNamespace(**row, same=same), 3)
    assert not load._is_right(types.SimpleNamespace(**row, same=~same), 3)
    assert not load._is_right(types.SimpleNamespace(**row, same=same), 4)
    row["similarity_map"][0, 6, 6] += 1e-3
    assert not load._is_right(types.SimpleNamespace(**row, same=same), 3)
