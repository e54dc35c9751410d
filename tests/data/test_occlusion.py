import numpy as np
import pytest
from scipy.ndimage import binary_opening, label

from xcos_tf import __version__
from xcos_tf.data.occlusion import WORN, Occluder, face_seed, free_form_mask, occlude_face, wear
from xcos_tf.errors import XcosError


@pytest.fixture
def face(random):
    return random.integers(0, 256, (112, 112, 3), np.uint8)


@pytest.mark.parametrize("share", [0, 0.001, 0.01, 0.1, 0.25, 0.5, 0.9, 1])
@pytest.mark.parametrize("size", [24, 112, 160])
def test_the_share_is_covered_to_the_pixel(share, size):
    for seed in range(10):
        mask = free_form_mask(share, np.random.default_rng(seed), size)
        assert mask.shape == (size, size) and mask.dtype == bool
        assert mask.sum() == round(share * size**2)


def test_masks_are_strokes_and_not_speckles():
    for seed in range(20):
        mask = free_form_mask(0.3, np.random.default_rng(seed))
        _, pieces = label(mask)
        assert pieces <= 25
        assert binary_opening(mask, np.ones((3, 3))).sum() > 0.9 * mask.sum()


def test_every_place_is_covered_about_as_often():
    masks = [free_form_mask(0.3, np.random.default_rng(seed)) for seed in range(400)]
    cells = np.mean(masks, axis=0).reshape(7, 16, 7, 16).mean((1, 3))
    assert cells.min() > 0.15 and cells.max() < 0.45


def test_the_seed_says_it_all(face):
    covered = occlude_face(face, 0.2, [3, 4])
    np.testing.assert_array_equal(occlude_face(face, 0.2, [3, 4]), covered)
    assert (occlude_face(face, 0.2, [3, 5]) != covered).any()
    assert (occlude_face(face, 0.2, [4, 4]) != covered).any()


def test_one_colour_covers_and_the_rest_stays(face):
    before = face.copy()
    covered = occlude_face(face, 0.4, 7)
    np.testing.assert_array_equal(face, before)
    changed = (covered != face).any(-1)
    assert covered.dtype == np.uint8
    # A pixel that has the brush's colour anyway does not change.
    assert 0.39 < changed.mean() <= round(0.4 * 112**2) / 112**2
    assert len(np.unique(covered[changed], axis=0)) == 1
    colours = {tuple(occlude_face(face, 1.0, seed)[0, 0]) for seed in range(20)}
    assert len(colours) > 15


@pytest.mark.parametrize("share", [-0.1, 1.01, np.nan])
def test_shares_outside_are_refused(share, random):
    with pytest.raises(ValueError, match="from 0 to 1"):
        free_form_mask(share, random)


def test_seeds_follow_from_names_on_every_machine():
    assert face_seed(3, "Ann/1.jpg") == [3, 0x41EB23E261C02E4C]
    assert face_seed(3, "Ann/\udcff.jpg") == [
        3,
        0x454254E785000707,
    ]  # a name that is not valid UTF-8
    assert len({tuple(face_seed(0, f"{i}.png")) for i in range(1000)}) == 1000


def test_strokes_follow_from_seed_and_name(face):
    covered = Occluder(share=0.3, seed=5).cover(face, "Ann/1.jpg")
    np.testing.assert_array_equal(covered, occlude_face(face, 0.3, face_seed(5, "Ann/1.jpg")))
    assert (Occluder(share=0.3, seed=6).cover(face, "Ann/1.jpg") != covered).any()
    assert (Occluder(share=0.3, seed=5).cover(face, "Ann/2.jpg") != covered).any()


@pytest.mark.parametrize("worn", WORN)
def test_worn_shapes_follow_from_seed_and_name(face, worn):
    covered = Occluder(worn=worn, seed=5).cover(face, "Ann/1.jpg")
    np.testing.assert_array_equal(covered, wear(face, worn, face_seed(5, "Ann/1.jpg")))


def test_settings_tell_everything():
    assert Occluder(share=0.3).settings() == {"version": __version__, "seed": 0, "share": 0.3}
    told = Occluder(worn="scarf", seed=7).settings()
    assert told == {"version": __version__, "seed": 7, "wear": "scarf"}


@pytest.mark.parametrize(
    "options, sentence",
    [
        ({}, "either a share"),
        ({"share": 0.3, "worn": "scarf"}, "either a share"),
        ({"share": 0.0}, "a share of 0.0 cannot be covered; give one over 0, up to 1"),
        ({"share": -0.1}, "a share of -0.1"),
        ({"share": 1.01}, "a share of 1.01"),
        ({"share": float("nan")}, "a share of nan"),
        ({"worn": "hat"}, "no 'hat' to wear; use one of sunglasses, scarf, hand"),
        ({"share": 0.3, "seed": -1}, "the seed -1 is under 0"),
    ],
)
def test_bad_choices_are_refused(options, sentence):
    with pytest.raises(XcosError, match=sentence):
        Occluder(**options)


def test_the_whole_face_may_be_covered(face):
    assert len(np.unique(Occluder(share=1).cover(face, "a").reshape(-1, 3), axis=0)) == 1
