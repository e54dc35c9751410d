from dataclasses import replace

import numpy as np
import pytest

from tests.explain.toys import noise
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.drawn_pairs import draw_pairs
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.verification_set import DecodedPhotos, VerificationSet


@pytest.fixture
def vset(random):
    """Six faces; three genuine and five impostor pairs."""
    names = [f"{i}.png" for i in range(6)]
    first, second = np.array([[0, 1], [2, 3], [4, 5], [0, 2], [1, 4], [3, 5], [2, 4], [0, 5]]).T
    same = np.arange(8) < 3
    pairs = PairSet(names, first, second, same, np.zeros(8, np.int64))
    return VerificationSet("toy", DecodedPhotos(names, noise(random, 6)), pairs, True, "f")


def listed(drawn, vset):
    """Return the pairs as positions in the set's list."""
    faces = vset.photos.pixels
    found = []
    for pair in drawn:
        ends = [
            next(i for i in range(6) if np.array_equal(faces[i], face))
            for face in (pair.face_a, pair.face_b)
        ]
        known = zip(vset.pairs.first, vset.pairs.second, strict=True)
        [place] = [i for i, of_pair in enumerate(known) if tuple(of_pair) == tuple(ends)]
        assert bool(vset.pairs.same[place]) == pair.same
        found.append(place)
    return found


def test_half_are_of_each_kind_and_none_comes_twice(vset):
    drawn = draw_pairs(vset, 4)
    assert len(drawn) == 4 and [pair.same for pair in drawn] == [True, False] * 2
    assert len(set(listed(drawn, vset))) == 4


def test_the_seed_decides(vset):
    draws = [listed(draw_pairs(vset, 4, seed), vset) for seed in range(8)]
    assert draws[0] == listed(draw_pairs(vset, 4, 0), vset)
    assert len({tuple(draw) for draw in draws}) > 3
    assert set().union(*draws) == set(range(8))


def test_only_the_faces_that_are_needed_are_read(vset):
    class Watched(DecodedPhotos):
        def read(self, position):
            read.append(position)
            return super().read(position)

    read = []
    drawn = draw_pairs(replace(vset, photos=Watched(vset.photos.names, vset.photos.pixels)), 2)
    ends = {x for i in listed(drawn, vset) for x in (vset.pairs.first[i], vset.pairs.second[i])}
    assert sorted(read) == sorted(ends)


@pytest.mark.parametrize("count", [0, -2, 3])
def test_half_of_an_odd_number_cannot_be_had(vset, count):
    with pytest.raises(XcosError, match=f"so {count} cannot be drawn; give an even number"):
        draw_pairs(vset, count)


def test_more_than_there_are_cannot_be_had(vset):
    with pytest.raises(XcosError, match=r"3 genuine and 5 impostor .* ask for 6 or fewer"):
        draw_pairs(vset, 8)
    assert len(draw_pairs(vset, 6)) == 6


def test_videos_are_refused(vset):
    with pytest.raises(XcosError, match="toy is a set of videos"):
        draw_pairs(replace(vset, videos=[np.arange(2)]), 2)
