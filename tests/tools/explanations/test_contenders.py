import numpy as np
import pytest

from tests.explain.toys import noise
from tools.explanations.contenders import OneScore, contenders
from xcos_tf.errors import XcosError
from xcos_tf.verifier import Verifier

MOBILE, GRID = ("mobilefacenet", "cosine"), ("xcos-mobilefacenet", "learned")


PRESETS = (MOBILE[0], GRID[0])


def places(names):
    found = contenders(names, *PRESETS)
    return [(x.method.name, x.verifier.config["name"], x.verifier.attention) for x in found]


def test_each_method_is_judged_by_what_it_explains():
    patched = ("xcos-mobilefacenet", "patched")
    assert places(["xcos", "xcos-patched", "tail", "occlusion", "tail"]) == [
        ("xcos", *GRID),
        ("xcos-patched", *patched),
        ("tail", *MOBILE),
        ("occlusion", *MOBILE),
        ("occlusion", *GRID),
        *(("random", *verifier) for verifier in (GRID, patched, MOBILE)),
    ]


def test_random_maps_are_there_with_whatever_is_asked_for():
    assert places(["random", "tail"]) == [("tail", *MOBILE), ("random", *MOBILE)]
    assert places(["random"]) == [("random", *MOBILE), ("random", *GRID)]


def test_those_of_one_verifier_share_it():
    tail, _, random = contenders(["tail", "gradcam"], *PRESETS)
    assert tail.verifier is random.verifier


@pytest.mark.parametrize("attention", ["patched", "correlated", "learned"])
def test_one_score_is_that_of_the_attention(attention, random):
    preset = Verifier.from_preset("xcos-mobilefacenet", runtime="tensorflow")
    grids = preset.embed(noise(random, 2))
    one = OneScore("xcos-mobilefacenet", attention)
    pair = (grids[:1], grids[1:])
    np.testing.assert_array_equal(one.compare_pairs(*pair), preset.compare_pairs(*pair, attention))
    assert one.threshold() == preset.threshold(attention)
    assert one.identity["attention"] == attention
    assert one.identity["weights"] == preset.config["weights"]["sha256"]


def test_an_unknown_method_is_refused():
    with pytest.raises(XcosError, match="there is no method 'gradcan'"):
        contenders(["xcos", "gradcan"], *PRESETS)


def test_presets_can_be_others():
    [xcos, *_] = contenders(
        ["xcos", "tail"], "mobilefacenet-occlusion", "xcos-mobilefacenet-occlusion"
    )
    assert xcos.verifier.config["name"] == "xcos-mobilefacenet-occlusion"


def test_a_preset_of_the_other_kind_is_refused():
    with pytest.raises(XcosError, match="'mobilefacenet' has no score 'learned'; give the xCos"):
        contenders(["xcos"], "mobilefacenet", "mobilefacenet")
    with pytest.raises(XcosError, match="has no score 'cosine'; give the plain preset"):
        contenders(["tail"], *reversed(PRESETS))
