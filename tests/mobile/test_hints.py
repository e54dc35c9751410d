"""A lack of similarity is named by its area, with advice, and only if it stands out."""

import numpy as np
import pytest

from xcos_tf.explain.regions import region_map
from xcos_tf.mobile.decision import compare_each
from xcos_tf.mobile.enrolling import enroll_owner
from xcos_tf.mobile.frames import Frame
from xcos_tf.mobile.hints import NOTICEABLE, hint_of
from xcos_tf.models.preset_folder import DEFAULT_PRESET, find_preset, lite_folder
from xcos_tf.verifier import Verifier

USUAL = np.full((7, 7), 0.8, np.float32)
AREAS = {
    "upper left": np.s_[:4, :3],
    "upper right": np.s_[:4, 4:],
    "lower left": np.s_[4:, :3],
    "lower right": np.s_[4:, 4:],
    "upper part": np.s_[:4],
    "lower part": np.s_[4:],
    "left side": np.s_[:, :3],
    "right side": np.s_[:, 4:],
}
ADVICE = {
    "upper part": "take off sunglasses or a hat",
    "lower part": "take off a mask or scarf, or move your hand",
}


@pytest.mark.parametrize("area", AREAS)
def test_area_is_named(area):
    similarity = USUAL.copy()
    similarity[AREAS[area]] -= 0.7
    hint = hint_of(similarity, USUAL)
    assert hint.startswith(f"the {area} of the face looks covered (")
    assert f"): {ADVICE.get(area, 'move your hand')} (left and right as seen" in hint
    named = hint.split("(")[1].split(")")[0].split(", ")
    assert len(named) == 2 and set(named) <= set(region_map(7, 7)[AREAS[area]].ravel())


@pytest.mark.parametrize(
    ("shape", "cells", "named"),
    [
        ((14, 14), np.s_[:7, :7], "the upper left of the face"),
        ((14, 14), np.s_[7:], "the lower part of the face"),
        ((5, 3), np.s_[3:, 2:], "the lower right of the face"),
        ((4, 6), np.s_[:, 3:], "the right side of the face"),
        ((1, 2), np.s_[:, :1], "the upper left of the face"),
        ((1, 1), np.s_[:], "no part of the face stands out"),
    ],
)
def test_a_grid_of_any_size_has_its_areas(shape, cells, named):
    usual = np.full(shape, 0.8)
    similarity = usual.copy()
    similarity[cells] -= 0.7
    assert hint_of(similarity, usual).startswith(named)


def test_what_is_usual_for_the_owner_is_not_blamed():
    """A beard that comes and goes: low there among the owner's own photos, too."""
    usual = USUAL.copy()
    usual[AREAS["lower part"]] = 0.2
    assert hint_of(usual - 0.3, usual).startswith("no part of the face stands out")
    similarity = usual.copy()
    similarity[AREAS["upper left"]] -= 0.6
    assert hint_of(similarity, usual).startswith("the upper left ")


def test_only_what_stands_out_is_named():
    half = np.zeros((7, 7), np.float32)
    half[4:] = 1
    share = 3 / 7
    factor = 2 * np.sqrt(share * (1 - share))  # 0.99: the lower part is nearly half
    for depth, named in ((NOTICEABLE * 0.98 / factor, False), (NOTICEABLE * 1.02 / factor, True)):
        hint = hint_of(USUAL - depth * half, USUAL)
        assert hint.startswith("the lower part" if named else "no part of the face stands out")


def test_the_regions_that_lack_most_are_named():
    similarity = USUAL.copy()
    similarity[4:] -= 0.5
    similarity[5, 3] -= 0.4  # "mouth" is this cell alone
    assert "covered (mouth, " in hint_of(similarity, USUAL)


@pytest.mark.parametrize(
    "preset, rows, columns, area",
    [
        (DEFAULT_PRESET, np.s_[:64], np.s_[:52], "upper left"),
        (DEFAULT_PRESET, np.s_[64:], np.s_[:], "lower part"),
        (DEFAULT_PRESET, np.s_[:64], np.s_[:], "upper part"),
        ("xcos-mobilefacenet", np.s_[64:], np.s_[:52], "lower left"),
        ("xcos-mobilefacenet", np.s_[64:], np.s_[:], "lower part"),
        ("xcos-mobilefacenet", np.s_[:64], np.s_[:], "upper part"),
        ("xcos-mobilefacenet", np.s_[:], np.s_[:52], "left side"),
    ],
)
def test_covered_photo(portraits, preset, rows, columns, area):
    """A plain patch over part of the owner's other photo."""
    lite = Verifier.from_export(lite_folder(find_preset(preset)), "float32.batch")
    owner = enroll_owner(lite, [Frame("a", portraits["obama"])], "models")
    covered = portraits["obama2"].copy()
    covered[rows, columns] = 90
    compared = compare_each(lite, owner.templates, lite.embed(covered[np.newaxis]))
    hint = hint_of(compared["similarity_map"][0], owner.usual_similarity)
    assert hint.startswith(f"the {area} of the face looks covered")
