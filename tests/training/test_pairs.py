import numpy as np
import pytest

from xcos_tf.data.face_set import FaceSet
from xcos_tf.errors import XcosError
from xcos_tf.training.pairs import PAIRS, pair_sampler, people_to_compare


def face_set(*counts):
    labels = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    people = [f"set/{i}" for i in range(len(counts))]
    return FaceSet(labels, people, [], np.zeros(len(labels), int), np.arange(len(labels)))


def test_who_can_be_compared():
    faces = face_set(3, 1, 0, 2)
    assert people_to_compare(faces, 0.5).people == ["set/0", "set/3"]
    assert people_to_compare(faces, 0.0).people == ["set/0", "set/1", "set/3"]
    with pytest.raises(XcosError, match="at least 2 people, and there are 1;"):
        people_to_compare(face_set(5, 0), 0.5)
    with pytest.raises(XcosError, match="two photos each, and there are 1;"):
        people_to_compare(face_set(5, 1), 0.5)


@pytest.mark.parametrize("counts", [(2, 2), (9, 5, 30), (8,) * 40, (2,) * 40])
@pytest.mark.parametrize("genuine", [0.0, 0.1, 0.5, 0.9, 1.0])
def test_a_group_has_the_share_of_different_pairs(counts, genuine):
    sampler = pair_sampler(face_set(*counts).labels, genuine, seed=4)
    drawn = sampler.draw(7)
    assert drawn.same.sum() == round(genuine * sampler.pairs)
    assert 1 <= len(drawn.same) <= PAIRS
    assert (drawn.faces[drawn.first] != drawn.faces[drawn.second]).all()
    codes = np.sort(np.stack([drawn.first, drawn.second]), axis=0)
    assert len(np.unique(codes, axis=1).T) == len(drawn.same)


def test_groups_of_large_sets_are_full():
    sampler = pair_sampler(face_set(*(10,) * 40).labels)
    assert (sampler.people, sampler.faces, sampler.pairs) == (16, 4, PAIRS)


def test_people_with_one_photo_make_impostor_pairs():
    sampler = pair_sampler(face_set(*(1,) * 30).labels, 0.0)
    assert sampler.faces == 1
    assert not sampler.draw(0).same.any()
