import numpy as np
import pytest

from xcos_tf.data.sampling import GroupSampler

LABELS = np.array([0] * 5 + [1] * 2 + [2] * 8 + [3] + [4] * 3)


def test_a_group_holds_what_was_asked():
    sampler = GroupSampler(LABELS, people=4, faces=3, pairs=20, genuine=0.3, seed=1)
    for step in range(50):
        group = sampler.draw(step)
        assert len(group.faces) == 12 and len(set(group.labels)) == 4
        np.testing.assert_array_equal(group.labels, LABELS[group.faces])
        assert group.same.sum() == 6 and len(group.same) == 20
        labels = group.labels
        np.testing.assert_array_equal(group.same, labels[group.first] == labels[group.second])
        genuine = group.same
        assert (group.faces[group.first] != group.faces[group.second])[genuine].all()


def test_draws_depend_on_seed_step_and_group_alone():
    def draw(seed, step, group):
        return GroupSampler(LABELS, 3, 2, 4, seed=seed).draw(step, group)

    sampler = GroupSampler(LABELS, 3, 2, 4, seed=5)
    for step in (9, 3):
        for name in ("faces", "labels", "first", "second", "same"):
            np.testing.assert_array_equal(
                getattr(sampler.draw(step, 1), name), getattr(draw(5, step, 1), name)
            )
    drawn = [tuple(draw(*key).faces) for key in ((5, 3, 1), (6, 3, 1), (5, 4, 1), (5, 3, 0))]
    assert len(set(drawn)) == 4


def test_everybody_is_drawn_as_often():
    sampler = GroupSampler(LABELS, people=2, faces=2, pairs=2, seed=0)
    people = np.concatenate([np.unique(sampler.draw(step).labels) for step in range(2000)])
    np.testing.assert_allclose(np.bincount(people) / 2000, 0.4, atol=0.04)


def test_no_pairs_for_a_plain_recogniser():
    group = GroupSampler(LABELS, people=5, faces=1, pairs=0).draw(0)
    assert len(group.faces) == 5 and len(group.first) == 0


@pytest.mark.parametrize(
    ("name", "value"), [("people", 6), ("people", 1), ("faces", 1), ("pairs", -1), ("genuine", 1.2)]
)
def test_bad_arguments_are_refused(name, value):
    good = {"people": 3, "faces": 2, "pairs": 4, "genuine": 0.5}
    with pytest.raises(ValueError, match=rf"Expected `{name}`.*Received: {name}="):
        GroupSampler(LABELS, **{**good, name: value})


def test_who_has_enough_photos_brings_each_once():
    sampler = GroupSampler(LABELS, people=5, faces=3, pairs=4, seed=3)
    for step in range(20):
        group = sampler.draw(step)
        for person, photos in enumerate(np.bincount(LABELS)):
            brought = group.faces[group.labels == person]
            assert len(brought) == 3
            assert len(set(brought)) == 3 or photos < 3
