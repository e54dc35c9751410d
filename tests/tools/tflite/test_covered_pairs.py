"""Pairs of which one face is covered, counted by hand."""

import numpy as np

from tools.tflite.pricing import covered_pairs
from xcos_tf.evaluation.pairs import PairSet


def pair_set(folds, people, photos):
    """All pairs of photos in folds of so many people with so many photos each."""
    names = [
        f"{fold}-{person}/{photo}.jpg"
        for fold in range(folds)
        for person in range(people)
        for photo in range(photos)
    ]
    owner = np.repeat(np.arange(folds * people), photos)
    a, b = np.triu_indices(len(names), k=1)
    within = owner[a] // people == owner[b] // people
    a, b = a[within], b[within]
    return PairSet(names, a, b, owner[a] == owner[b], 3 + owner[a] // people)


def listed(pairs, kind):
    chosen = pairs.same == kind
    return list(zip(pairs.first[chosen].tolist(), pairs.second[chosen].tolist(), strict=True))


def test_genuine_pairs_come_both_ways_and_impostor_pairs_once_either_way():
    pairs = pair_set(folds=2, people=6, photos=2)
    found = covered_pairs(pairs, seed=1)
    genuine = listed(pairs, True)
    assert sorted(listed(found, True)) == sorted(genuine + [(b, a) for a, b in genuine])
    impostor = listed(found, False)
    assert len(impostor) == 2 * 60  # all that there are: 120 would be ten times as many
    assert {tuple(sorted(x)) for x in impostor} == set(listed(pairs, False))
    assert 0.3 < np.mean([a < b for a, b in impostor]) < 0.7
    of_photo = np.repeat([3, 4], 12)
    assert (found.fold == of_photo[found.first]).all()
    assert (found.fold == of_photo[found.second]).all()


def test_ten_times_as_many_impostor_pairs_are_drawn_from_each_fold():
    pairs = pair_set(folds=2, people=40, photos=2)
    found = covered_pairs(pairs, seed=1)
    assert [int(np.sum(~found.same[found.fold == fold])) for fold in (3, 4)] == [800, 800]
    impostor = {tuple(sorted(x)) for x in listed(found, False)}
    assert len(impostor) == 1600 and impostor <= set(listed(pairs, False))
    again, other = covered_pairs(pairs, seed=1), covered_pairs(pairs, seed=2)
    np.testing.assert_array_equal(found.first, again.first)
    assert not np.array_equal(found.first, other.first)
