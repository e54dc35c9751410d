import numpy as np
import pytest

from xcos_tf import __version__
from xcos_tf.data.occluder import Occluder
from xcos_tf.data.occlusion import face_seed, occlude_face
from xcos_tf.data.worn_shapes import WORN, wear
from xcos_tf.errors import XcosError


@pytest.fixture
def face(random):
    return random.integers(0, 256, (112, 112, 3), np.uint8)


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
