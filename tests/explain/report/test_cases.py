import numpy as np
import pytest

from xcos_tf.explain.report.cases import most_confident


def test_each_group_holds_those_farthest_beyond_the_threshold(random):
    values = random.uniform(-1, 1, 200).astype(np.float32)
    same = random.random(200) < 0.5
    groups = most_confident(values, same, 0.1)
    # By hand: a list of (distance, position) of each kind, sorted.
    kinds = {
        "True accepts": lambda value, genuine: genuine and value >= 0.1,
        "False accepts": lambda value, genuine: not genuine and value >= 0.1,
        "True rejects": lambda value, genuine: not genuine and value < 0.1,
        "False rejects": lambda value, genuine: genuine and value < 0.1,
    }
    assert [group.title for group in groups] == list(kinds)
    assert [group.right for group in groups] == [True, False, True, False]
    for group, belongs in zip(groups, kinds.values(), strict=True):
        members = [
            (-abs(float(value) - 0.1), k)
            for k, (value, genuine) in enumerate(zip(values, same, strict=True))
            if belongs(float(value), genuine)
        ]
        assert group.count == len(members) > 4
        assert group.shown.tolist() == [k for _, k in sorted(members)[:4]]
        assert group.least.tolist() == [k for _, k in sorted(members)[::-1][:4]]


def test_a_score_that_reaches_the_threshold_is_accepted():
    accepts, *_, rejects = most_confident(np.array([0.5, 0.25]), np.array([True, True]), 0.5)
    assert (accepts.shown.tolist(), rejects.shown.tolist()) == ([0], [1])


@pytest.mark.parametrize("sign", [1, -1])
def test_of_equals_the_first_come_first_and_empty_groups_are_empty(sign):
    values, same = sign * np.tile([0.5, 0.25], 20), np.full(40, sign > 0)
    groups = {group.title: group for group in most_confident(values, same, 0.0)}
    right = groups.pop("True accepts" if sign > 0 else "True rejects")
    assert right.count == 40 and right.shown.tolist() == [0, 2, 4, 6]
    assert all(group.count == 0 and len(group.shown) == 0 for group in groups.values())


@pytest.mark.parametrize("count, least", [(4, []), (5, [4]), (7, [6, 5, 4]), (9, [8, 7, 6, 5])])
def test_no_pair_is_both_most_and_least_sure(count, least):
    values = np.linspace(1, 0.5, count)
    accepts, *_ = most_confident(values, np.full(count, True), 0.0)
    assert (accepts.shown.tolist(), accepts.least.tolist()) == ([0, 1, 2, 3], least)


def test_a_float32_score_is_held_against_the_threshold_as_it_is():
    # 0.1 as float32 is a little more than 0.1; a threshold above it by less must reject it.
    value = np.array([0.1], np.float32)
    threshold = float(value[0]) + 1e-9
    _, _, _, rejects = most_confident(value, np.array([True]), threshold)
    assert rejects.count == 1
