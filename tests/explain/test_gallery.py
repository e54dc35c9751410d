from dataclasses import replace

import numpy as np
import pytest

from tests.explain.report.making import Faces, make_scores, make_set
from tests.verifying import THRESHOLDS
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.measurement import at_default_fmr
from xcos_tf.evaluation.protocol import score_set
from xcos_tf.explain.gallery import make_galleries, most_confident
from xcos_tf.explain.words import describe_maps
from xcos_tf.metrics.rates import best_threshold
from xcos_tf.verifier import Verifier


def galleries(vset, scores):
    return list(make_galleries(vset, scores, vset.photos.read))


def test_the_default_score_is_explained_by_its_own_maps(preset, explained):
    vset, scores = explained
    vset.photos.asked.clear()
    [gallery] = galleries(vset, scores)
    assert (gallery.preset, gallery.score) == (preset, "learned")
    assert (gallery.threshold, gallery.promised) == (THRESHOLDS["0.001"], True)
    # No face is asked for that is not shown.
    shown = [pair for x in gallery.exhibits for pair in x.group.shown]
    ends = set(vset.pairs.first[shown]) | set(vset.pairs.second[shown])
    assert set(vset.photos.asked) == ends and 4 < len(ends) < 40
    verifier = Verifier.from_preset(preset)
    for exhibit in gallery.exhibits:
        shown = exhibit.group.shown
        assert len(exhibit.most) == len(shown) == min(exhibit.group.count, 4)
        assert len(exhibit.least) == 0
        for pair, case in zip(shown, exhibit.most, strict=True):
            ends = vset.pairs.first[pair], vset.pairs.second[pair]
            assert case.names == tuple(vset.pairs.photos[end] for end in ends)
            faces = [vset.photos.read(end) for end in ends]
            np.testing.assert_array_equal(case.faces, faces)
            truth = verifier.verify(*faces, attention="learned", aligned=True)
            np.testing.assert_allclose(case.similarity_map, truth.similarity_map, atol=1e-4)
            np.testing.assert_allclose(case.attention_map, truth.attention_map, atol=1e-4)
            assert case.score == pytest.approx(truth.score, abs=1e-4)
            assert case.sentence == describe_maps(case.similarity_map, case.attention_map)
            assert case.frames is None


def test_the_last_attention_measured_is_shown_at_the_best_threshold_if_none_is_promised(explained):
    vset, scores = explained
    kept = [replace(x, thresholds={"0.01": 0.9}) for x in scores if x.score != "learned"]
    [gallery] = galleries(vset, kept)
    assert gallery.score == "correlated" and not gallery.promised
    values = next(x for x in scores if x.score == "correlated").values
    assert gallery.threshold == best_threshold(values, vset.pairs.same)


def test_scores_without_maps_are_not_shown(explained):
    vset, scores = explained
    assert galleries(vset, [x for x in scores if x.score == "flattened"]) == []


def test_a_preset_without_a_grid_is_not_even_loaded():
    vset = make_set(8)
    assert galleries(vset, [make_scores(vset, preset="nonesuch")]) == []


def test_a_preset_that_has_changed_is_refused(explained):
    vset, scores = explained
    scores = [replace(x, sha256="0" * 64) for x in scores]
    with pytest.raises(XcosError, match="has changed since it was measured; evaluate it again"):
        galleries(vset, scores)


def test_of_videos_the_frames_nearest_the_mean_are_shown(preset):
    frames = Faces([f"frame {k}" for k in range(12)])
    videos = [np.arange(0, 4), np.arange(4, 6), np.arange(6, 7), np.arange(7, 12)]
    vset = make_set(4, names=[f"video {k}" for k in range(4)], photos=frames, videos=videos)
    scores = score_set([preset], vset)
    learned = next(x for x in scores if x.score == "learned").values
    [gallery] = galleries(vset, scores)
    verifier = Verifier.from_preset(preset)
    templates = [verifier.enroll(frames.read(k), aligned=True) for k in range(len(frames))]
    seen = 0
    for exhibit in gallery.exhibits:
        for pair, case in zip(exhibit.group.shown, exhibit.most, strict=True):
            a, b = vset.pairs.first[pair], vset.pairs.second[pair]
            assert case.names == (f"video {a}", f"video {b}")
            own = {
                (i, j): verifier.verify(templates[i], templates[j]).score
                for i in videos[a]
                for j in videos[b]
            }
            mean = np.mean(list(own.values()))
            assert case.score == pytest.approx(mean, abs=1e-4)
            assert case.score == learned[pair]
            *names, value = case.frames
            i, j = (int(name.removeprefix("frame ")) for name in names)
            nearest = min(abs(x - mean) for x in own.values())
            assert abs(own[i, j] - mean) == pytest.approx(nearest, abs=1e-4)
            assert value == pytest.approx(own[i, j], abs=1e-4)
            np.testing.assert_array_equal(case.faces[0], frames.read(i))
            np.testing.assert_array_equal(case.faces[1], frames.read(j))
            seen += 1
    assert seen == 4


@pytest.mark.parametrize(
    "rates, found", [({"0.001": 0.5}, 0.5), ({"1e-3": 0.5}, 0.5), ({"0.01": 0.5}, None)]
)
def test_the_threshold_is_that_for_fmr_1e_3(rates, found):
    assert at_default_fmr(rates) == found


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
