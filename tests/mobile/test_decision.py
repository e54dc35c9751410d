"""The rule from scores to yes or no, against plain Python, and on faces."""

from dataclasses import replace

import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.mobile.decision import compare_each, frame_scores, judge, needed_frames
from xcos_tf.mobile.enrolling import enroll_owner
from xcos_tf.mobile.frames import Frame


@pytest.mark.parametrize("templates", [1, 2, 3, 5])
def test_a_frame_scores_the_mean_of_its_two_best_templates(random, templates):
    scores = random.uniform(-1, 1, (templates, 4)).astype(np.float32)
    best = [sorted(column, reverse=True)[:2] for column in scores.T.tolist()]
    expected = [sum(two) / len(two) for two in best]
    np.testing.assert_allclose(frame_scores(scores), expected, atol=1e-6)


def test_more_than_half_of_the_frames_are_needed():
    assert [needed_frames(frames) for frames in range(1, 8)] == [1, 2, 2, 3, 3, 4, 4]


def test_a_try_has_five_frames_at_most(lite, owner, portraits):
    with pytest.raises(XcosError, match="6 photos are too many for one try"):
        judge(lite, owner, [portraits["biden"]] * 6)


def test_the_threshold_is_the_owners(lite, owner, portraits):
    for threshold, unlocked in ((-1.0, True), (1.1, False)):
        decision = judge(lite, replace(owner, threshold=threshold), [portraits["obama2"]])
        assert (decision.threshold, decision.unlocked) == (threshold, unlocked)


def test_all_with_all(lite, portraits):
    grids = lite.embed(np.stack([portraits[name] for name in ("obama", "obama2", "biden")]))
    compared = compare_each(lite, grids[:2], grids)
    for template in range(2):
        for frame in range(3):
            one = lite.explain_pairs(grids[template : template + 1], grids[frame : frame + 1])
            row = 3 * template + frame
            np.testing.assert_allclose(compared["xcos"][row], one["xcos"][0], atol=1e-6)
            np.testing.assert_allclose(
                compared["similarity_map"][row], one["similarity_map"][0], atol=1e-6
            )


@pytest.fixture(scope="module")
def owner(lite, portraits):
    return enroll_owner(lite, [Frame("a", portraits["obama"])], "models")


@pytest.mark.parametrize(
    "frames, unlocked, matching, needed",
    [
        (["obama2"], True, 1, 1),
        (["biden"], False, 0, 1),
        (["obama2", "biden"], False, 1, 2),
        (["obama2", "biden", "obama2"], True, 2, 2),
        (["biden", "obama2", "biden"], False, 1, 2),
    ],
)
def test_owner_and_others(lite, owner, portraits, frames, unlocked, matching, needed):
    decision = judge(lite, owner, [portraits[name] for name in frames])
    assert (decision.unlocked, decision.matching, decision.needed) == (unlocked, matching, needed)
    assert decision.threshold == lite.threshold(fmr=1e-3)
    grids = lite.embed(np.stack([portraits[name] for name in frames]))
    scores = lite.explain_pairs(np.repeat(owner.templates, len(frames), axis=0), grids)["xcos"]
    np.testing.assert_allclose(decision.scores, scores, atol=1e-6)
    assert bool(decision.hint) is not unlocked


def test_a_score_at_the_threshold_matches(lite, owner, portraits):
    score = float(judge(lite, owner, [portraits["obama2"]]).scores[0])
    for threshold, unlocked in ((score, True), (np.nextafter(score, 1), False)):
        decision = judge(lite, replace(owner, threshold=threshold), [portraits["obama2"]])
        assert decision.unlocked is unlocked


def test_the_hint_is_of_frames_that_do_not_match(lite, owner, portraits):
    """A second frame, which matches, would thin out what is wrong with the covered one."""
    covered = portraits["obama2"].copy()
    covered[:64] = 128
    alone = judge(lite, owner, [covered])
    both = judge(lite, owner, [covered, portraits["obama2"]])
    assert (alone.matching, both.matching) == (0, 1)
    assert both.hint == alone.hint
    assert both.hint.startswith("the upper part of the face looks covered (")
