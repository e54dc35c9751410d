import numpy as np
import pytest

from xcos_tf.data.sampling import draw_pairs

LABELS = np.repeat([0, 1, 2, 3], [1, 2, 5, 8]).astype(np.int32)
GENUINE, IMPOSTOR = 1 + 10 + 28, 120 - 39


def codes(pairs):
    return {tuple(sorted(pair)) for pair in zip(pairs.first, pairs.second, strict=True)}


@pytest.mark.parametrize(("genuine", "impostor"), [(5, 7), (0, 20), (30, 60), (999, 999), (0, 0)])
def test_pairs_differ_and_are_of_the_kinds_asked_for(genuine, impostor):
    pairs = draw_pairs(LABELS, genuine, impostor, seed=1)
    genuine, impostor = min(genuine, GENUINE), min(impostor, IMPOSTOR)
    assert len(pairs) == len(codes(pairs)) == genuine + impostor
    assert (pairs.first != pairs.second).all()
    np.testing.assert_array_equal(pairs.same, np.arange(genuine + impostor) < genuine)
    np.testing.assert_array_equal(pairs.same, LABELS[pairs.first] == LABELS[pairs.second])


def test_every_pair_is_as_likely_as_any_other():
    order = np.random.default_rng(0).permutation(len(LABELS))  # labels need not be sorted
    labels = LABELS[order]
    counts = np.zeros((16, 16))
    for seed in range(1000):
        pairs = draw_pairs(labels, 4, 8, seed)
        np.add.at(counts, (pairs.first, pairs.second), 1)
    counts = counts + counts.T
    upper = np.triu(np.ones((16, 16), bool), 1)
    same = labels[:, None] == labels
    for kind, drawn, there_are in ((same, 4, GENUINE), (~same, 8, IMPOSTOR)):
        found, expected = counts[upper & kind], 1000 * drawn / there_are
        assert len(found) == there_are
        assert np.abs(found - expected).max() < 4.5 * np.sqrt(expected)


def test_many_people_are_no_burden():
    labels = np.random.default_rng(0).integers(85_000, size=500_000)
    pairs = draw_pairs(labels, 20_000, 20_000, seed=0)  # of 125 thousand million that there are
    assert len(codes(pairs)) == 40_000
    np.testing.assert_array_equal(pairs.same, labels[pairs.first] == labels[pairs.second])


def test_the_seed_decides():
    drawn = [draw_pairs(LABELS, 3, 3, seed).first.tolist() for seed in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
