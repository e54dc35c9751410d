from types import SimpleNamespace

import pytest

from tests.explain.making import explained
from xcos_tf.errors import XcosError
from xcos_tf.explain.comparison import (
    choose_methods,
    choose_presets,
    distinct_scores,
    explain_pair,
)


def needing(*kinds):
    return [SimpleNamespace(name=f"method {k}", needs=kind) for k, kind in enumerate(kinds)]


def test_methods_come_in_the_order_given_and_once():
    names = [each.name for each in choose_methods("face-centre, xcos,xcos-patched,xcos")]
    assert names == ["face-centre", "xcos", "xcos-patched"]


@pytest.mark.parametrize("names", ["xcos,lime", "", "xcos,,random"])
def test_unknown_methods_are_refused(names):
    with pytest.raises(XcosError, match=r"there is no method '(lime)?' to explain by; use one of"):
        choose_methods(names)


@pytest.mark.parametrize(
    "kinds, preset, baseline, chosen",
    [
        ("grid embedding any", "xcos-mobilefacenet", None, "x m x"),
        ("grid embedding", "xcos-mobilefacenet-occlusion", None, "xo mo"),
        ("grid embedding", "xcos-mobilefacenet-2", None, "x2 m"),
        ("embedding grid", "xcos-mobilefacenet", "mobilefacenet-occlusion", "mo x"),
        ("embedding any", "mobilefacenet-occlusion", None, "mo mo"),
        ("embedding any", "mobilefacenet-occlusion", "mobilefacenet", "m mo"),
    ],
)
def test_each_method_gets_a_preset_of_its_kind(kinds, preset, baseline, chosen):
    short = {"x": "xcos-mobilefacenet", "m": "mobilefacenet"}
    short |= {key + "o": f"{name}-occlusion" for key, name in short.items()}
    short["x2"] = "xcos-mobilefacenet-2"
    expected = [short[key] for key in chosen.split()]
    assert choose_presets(needing(*kinds.split()), preset, baseline) == expected


@pytest.mark.parametrize(
    "kinds, preset, baseline, sentence",
    [
        ("any grid", "mobilefacenet", None, "'method 1' explains the score of a grid and"),
        ("embedding", "xcos-mobilefacenet", "xcos-mobilefacenet", "give a plain preset such as"),
        ("grid any", "xcos-mobilefacenet", "mobilefacenet", "leave it out or add one"),
        ("any", "nonesuch", None, "there is no preset 'nonesuch'"),
        ("embedding", "mobilefacenet", "nonesuch", "there is no preset 'nonesuch'"),
    ],
)
def test_presets_of_the_wrong_kind_are_refused(kinds, preset, baseline, sentence):
    with pytest.raises(XcosError, match=sentence):
        choose_presets(needing(*kinds.split()), preset, baseline)


class FakeMethod:
    """Says that it took so many seconds, run after run."""

    def __init__(self, *seconds, **attributes):
        self.__dict__ |= {"seconds": list(seconds)} | attributes

    def explain(self, verifier, face_a, face_b):
        return explained("tail", seconds=self.seconds.pop(0)).explanation


def fake_verifier(thresholds):
    def threshold(score):
        if score not in thresholds:
            raise XcosError("none")
        return thresholds[score]

    return SimpleNamespace(attentions=("patched", "learned"), threshold=threshold)


@pytest.mark.parametrize("seconds, told", [((4.9, 0.2), 0.2), ((5.1,), 5.1)])
def test_a_quick_method_is_timed_when_it_is_warm(seconds, told):
    method = FakeMethod(*seconds)
    row = explain_pair(fake_verifier({}), "a preset", method, None, None)
    assert row.explanation.seconds == told and method.seconds == []
    assert (row.preset, row.threshold, row.same) == ("a preset", None, None)


@pytest.mark.parametrize(
    "attributes, score", [({}, "learned"), ({"attention": "patched"}, "patched")]
)
def test_the_threshold_is_that_of_the_score_explained(attributes, score):
    verifier = fake_verifier({"learned": 0.6, "patched": 0.4})
    row = explain_pair(verifier, "x", FakeMethod(9, **attributes), None, None)
    assert (row.score, row.threshold) == (score, verifier.threshold(score))
    assert row.same == (row.explanation.score >= row.threshold)


def test_a_score_that_several_methods_explain_is_named_once():
    rows = [explained("tail"), explained("xcos"), explained("gradcam"), explained("random")]
    assert distinct_scores(rows) == rows[:2]
