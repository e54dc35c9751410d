import numpy as np
import pytest

from xcos_tf.data.sampling import EpochSampler, GroupSampler

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


def test_people_are_drawn_by_their_weights():
    weights = np.array([1, 1, 4, 1, 3])
    sampler = GroupSampler(LABELS, people=1, faces=2, pairs=1, genuine=1, weights=weights)
    people = [sampler.draw(step).labels[0] for step in range(2000)]
    np.testing.assert_allclose(np.bincount(people) / 2000, weights / 10, atol=0.04)


def test_impostor_pairs_that_are_alike_are_drawn_more_often(random):
    embeddings = random.normal(size=(4, 3)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    sampler = GroupSampler(
        np.arange(4), people=4, faces=1, pairs=1, genuine=0, near=2.0, embeddings=embeddings
    )
    drawn, count = np.zeros((4, 4)), 4000
    for step in range(count):
        group = sampler.draw(step)
        ends = sorted((group.faces[group.first[0]], group.faces[group.second[0]]))
        drawn[tuple(ends)] += 1 / count
    expected = np.triu(np.exp(2.0 * embeddings @ embeddings.T), k=1)
    np.testing.assert_allclose(drawn, expected / expected.sum(), atol=0.025)


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


def positions(sampler, groups, first, last):
    """Return the groups at positions `first` up to `last` of a sampler with `groups` a step."""
    return [sampler.draw(*divmod(position, groups)) for position in range(first, last)]


def test_an_epoch_has_each_image_as_the_first_of_one_pair():
    # 19 images, and steps of 4: an epoch ends within a step.
    sampler = EpochSampler(LABELS, groups=4, seed=3)
    orders = []
    for epoch in range(3):
        drawn = positions(sampler, 4, 19 * epoch, 19 * (epoch + 1))
        orders.append([group.faces[group.first[0]] for group in drawn])
        assert sorted(orders[-1]) == list(range(19))
    assert len({tuple(order) for order in orders}) == 3
    assert orders[0] != list(range(19))


def test_pairs_are_what_they_say():
    sampler = EpochSampler(LABELS, groups=4, seed=3)
    genuine = []
    for group in positions(sampler, 4, 0, 19 * 100):
        assert (sampler.size, sampler.pairs) == (2, 1) == (len(group.faces), len(group.first))
        assert (group.first[0], group.second[0]) == (0, 1)
        assert group.faces[0] != group.faces[1]
        np.testing.assert_array_equal(group.labels, LABELS[group.faces])
        assert group.same[0] == (group.labels[0] == group.labels[1])
        if LABELS[group.faces[0]] == 3:  # they have one photo
            assert not group.same[0]
        else:
            genuine.append(group.same[0])
    assert np.mean(genuine) == pytest.approx(0.5, abs=0.04)  # 1,800 coins: three deviations
    for chance in (0.0, 1.0):
        drawn = positions(EpochSampler(LABELS, 4, chance), 4, 0, 19)
        same = [group.same[0] for group in drawn if group.labels[0] != 3]
        assert same == [bool(chance)] * 18


def test_how_often_an_image_is_seen_does_not_depend_on_its_person_s_photos():
    # A long tail: ten people have 20 photos each, twenty have two, and one has one; 241 in all.
    labels = np.repeat(np.arange(31), [20] * 10 + [2] * 20 + [1])
    kinds = np.repeat([0, 1, 2], [200, 40, 1])
    epochs = 100
    drawn = positions(EpochSampler(labels, 7, seed=1), 7, 0, epochs * len(labels))
    views = np.bincount(np.concatenate([group.faces for group in drawn])) / epochs
    found = np.bincount(kinds, views) / np.bincount(kinds)
    # Once as the first. As a genuine partner 0.5, for each of a person's n photos has one of n - 1.
    # As an impostor partner by the photos of all others, each of which has one of 241 - n:
    # of 20 photos: 9 · 20 · 0.5 / 221 + 20 · 2 · 0.5 / 239 + 1 / 240 = 0.495
    # of two:      10 · 20 · 0.5 / 221 + 19 · 2 · 0.5 / 239 + 1 / 240 = 0.536
    # of one:      10 · 20 · 0.5 / 221 + 20 · 2 · 0.5 / 239 = 0.536
    np.testing.assert_allclose(found[:2], [1.995, 2.036], atol=0.05)
    assert found[2] == pytest.approx(1.536, abs=0.25)
    # By people instead, a face of two photos is seen ten times as often as one of 20.
    by_people = GroupSampler(labels, people=4, faces=2, pairs=4, seed=1)
    faces = np.concatenate([by_people.draw(step).faces for step in range(1000)])
    seen = np.bincount(kinds, np.bincount(faces, minlength=241)) / np.bincount(kinds)
    assert seen[1] / seen[0] == pytest.approx(10, rel=0.1)


def test_partners_are_each_as_likely():
    labels = np.array([0, 1, 0, 2, 0, 1, 0])
    partners = {True: np.zeros(7), False: np.zeros(7)}
    for group in positions(EpochSampler(labels, 1, seed=2), 1, 0, 7 * 1500):
        if group.faces[0] == 2:
            partners[bool(group.same[0])][group.faces[1]] += 1
    for same, others in ((True, [0, 4, 6]), (False, [1, 3, 5])):
        share = partners[same] / partners[same].sum()
        np.testing.assert_allclose(share[others], 1 / 3, atol=0.06)
        assert partners[same][others].sum() == partners[same].sum()


def test_an_epoch_depends_on_seed_and_position_alone():
    def all_of(sampler, order):
        drawn = {key: sampler.draw(*key) for key in order}
        return [tuple(drawn[key].faces) for key in sorted(drawn)]

    keys = [(step, group) for step in range(15) for group in range(4)]  # three epochs and more
    forward = all_of(EpochSampler(LABELS, 4, seed=5), keys)
    backward = all_of(EpochSampler(LABELS, 4, seed=5), keys[::-1])
    assert forward == backward
    resumed = EpochSampler(LABELS, 4, seed=5)  # in the middle of the second epoch
    assert [tuple(resumed.draw(*key).faces) for key in keys[29:]] == forward[29:]
    assert all_of(EpochSampler(LABELS, 4, seed=6), keys) != forward


def test_a_plain_recogniser_s_epoch_has_images_without_partners():
    sampler = EpochSampler(LABELS, 4, genuine=None, seed=3)
    drawn = positions(sampler, 4, 19, 38)
    assert (sampler.size, sampler.pairs) == (1, 0)
    assert sorted(group.faces[0] for group in drawn) == list(range(19))
    for group in drawn:
        assert len(group.faces) == len(group.labels) == 1
        assert len(group.first) == len(group.second) == len(group.same) == 0


@pytest.mark.parametrize(
    ("labels", "options", "name"),
    [
        (LABELS, {"groups": 0}, "groups"),
        (LABELS, {"groups": 1, "genuine": 1.1}, "genuine"),
        (LABELS * 0, {"groups": 1}, "labels"),
    ],
)
def test_bad_arguments_of_an_epoch_are_refused(labels, options, name):
    with pytest.raises(ValueError, match=rf"Expected `{name}`.*Received: "):
        EpochSampler(labels, **options)
    assert EpochSampler(LABELS * 0, 1, genuine=None).draw(0).labels == [0]  # needs no second one
