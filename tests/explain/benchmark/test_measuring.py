import shutil
from functools import partial

import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.evaluation import score_cache as keeping
from xcos_tf.evaluation.drawn_pairs import Pair
from xcos_tf.evaluation.score_cache import code_version
from xcos_tf.explain.benchmark.measuring import _kept, contenders

MOBILE, GRID = ("mobilefacenet", "cosine"), ("xcos-mobilefacenet-2", "learned")
PRESETS = (MOBILE[0], GRID[0])


def places(names):
    return [(x.method.name, x.preset, x.attention) for x in contenders(names, *PRESETS)]


def test_each_method_is_judged_by_what_it_explains():
    patched = ("xcos-mobilefacenet-2", "patched")
    assert places(["xcos", "xcos-patched", "tail", "occlusion", "tail"]) == [
        ("xcos", *GRID),
        ("xcos-patched", *patched),
        ("tail", *MOBILE),
        ("occlusion", *GRID),
        ("occlusion", *MOBILE),
        *(("random", *score) for score in (GRID, patched, MOBILE)),
    ]


def test_random_maps_are_there_with_whatever_is_asked_for():
    assert places(["random", "tail"]) == [("tail", *MOBILE), ("random", *MOBILE)]
    assert places(["random"]) == [("random", *GRID), ("random", *MOBILE)]


def test_only_what_looks_into_a_plain_preset_runs_in_keras():
    found = {x.method.name: x for x in contenders(["xcos", "tail", "face-centre"], *PRESETS)}
    assert [x.runtime for x in found.values()] == ["auto", "tensorflow", "auto", "auto"]
    tail = found["tail"].verifier
    assert hasattr(tail.runtime, "network") and tail is found["tail"].verifier
    assert not hasattr(found["xcos"].verifier.runtime, "network")


def test_an_unknown_method_is_refused():
    with pytest.raises(XcosError, match="there is no method 'gradcan'"):
        contenders(["xcos", "gradcan"], *PRESETS)


def test_presets_can_be_others():
    xcos, *_ = contenders(
        ["xcos", "tail"], "mobilefacenet-occlusion", "xcos-mobilefacenet-occlusion"
    )
    assert xcos.verifier.config["name"] == "xcos-mobilefacenet-occlusion"


def test_a_preset_of_the_other_kind_is_refused():
    with pytest.raises(XcosError, match="'mobilefacenet' has no score 'learned'; give the xCos"):
        contenders(["xcos"], "mobilefacenet", "mobilefacenet")
    with pytest.raises(XcosError, match="has no score 'cosine'; give the plain preset"):
        contenders(["tail"], *reversed(PRESETS))


@pytest.mark.parametrize(
    "module", ["explanation", "probing", "methods.xcos", "faithfulness.deletion"]
)
def test_what_is_kept_follows_from_all_code_that_it_was_made_by(module, tmp_path, monkeypatch):
    shutil.copytree(keeping.ROOT / "xcos_tf/explain", tmp_path / "xcos_tf/explain")
    monkeypatch.setattr(keeping, "ROOT", tmp_path)
    xcos, tail, *_ = contenders(["xcos", "tail"], *PRESETS)
    pair = Pair(np.zeros((112, 112, 3), np.uint8), np.ones((112, 112, 3), np.uint8), True)
    keys = []

    class Cache:
        def kept(self, key, make):
            keys.append(key)

    def results():
        keys.clear()
        for x in (xcos, tail):
            for what, fill in (("maps", ""), ("drops", "blur"), ("curves", "imputed")):
                partial(_kept, Cache(), code_version, x, pair)(what, None, fill)
        return list(keys)

    before = results()
    assert results() == before and len({str(key) for key in before}) == len(before)
    path = tmp_path / "xcos_tf" / "explain" / f"{module.replace('.', '/')}.py"
    path.write_text(path.read_text(encoding="utf-8") + "x = 1\n", encoding="utf-8")
    same = [key == other for key, other in zip(before, results(), strict=True)]
    # Maps do not follow from how they are judged, nor drops from how maps are made.
    expected = {
        "methods.xcos": [False, True, False, True, True, True],
        "faithfulness.deletion": [True, False, False, True, False, False],
    }
    assert same == expected.get(module, [False] * 6)
