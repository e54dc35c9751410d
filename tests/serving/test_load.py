"""The load test itself, short: a server in a process of its own, killed in the middle."""

import types
from collections import Counter

import numpy as np
import pytest

from tests.serving.load import Load, passed, run


@pytest.mark.slow
def test_no_wrong_answer_and_every_failure_reported(served_folder):
    load, gone = run(served_folder, clients=4, seconds=4, timeout=30)
    counts = load.counts
    assert passed(counts), counts
    right = sum(count for what, count in counts.items() if what.startswith("right"))
    assert len(load.seconds) == right
    assert gone > 0
    # The clients did meet a server that was away.
    assert counts["XcosError ServerUnavailable"] > 0


def test_wrong_late_lost_and_unreported_would_be_noticed():
    good = Counter({"right before": 1, "right after": 1, "XcosError X": 1, "begun": 3})
    assert passed(good)
    for bad in (
        {"wrong": 1, "begun": 1},
        {"begun": 1},
        {"late": 1},
        {"unreported": 1, "begun": 1},
        {"right before": -1, "begun": -1},
        {"right after": -1, "begun": -1},
    ):
        assert not passed(Counter({key: good[key] + bad.get(key, 0) for key in {*good, *bad}}))


def test_what_a_right_answer_is():
    load = Load(("localhost", "http://localhost"), 0, 1)
    row = {name: value[3:4].copy() for name, value in load.answers.items()}
    same = np.array([load.same[3]])
    assert load.is_right(types.SimpleNamespace(**row, same=same), 3)
    assert not load.is_right(types.SimpleNamespace(**row, same=~same), 3)
    assert not load.is_right(types.SimpleNamespace(**row, same=same), 4)
    row["similarity_map"][0, 6, 6] += 1e-3
    assert not load.is_right(types.SimpleNamespace(**row, same=same), 3)
