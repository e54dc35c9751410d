"""Covered faces of a set are those that any other tool covers."""

import numpy as np
from PIL import Image

from tools.tflite.pairs import CoveredFaces
from xcos_tf.data.occluder import Occluder
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.set_faces import FacesInMemory
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.export.tflite.representative import SHIPPED

NAMES = ["a/a_1.jpg", "b/b_1.jpg"]
FACES = np.stack([np.asarray(Image.open(SHIPPED / f"{x}.png")) for x in ("obama", "biden")])


def vset(names):
    ends = np.array([0]), np.array([1])
    pairs = PairSet(names, *ends, np.array([False]), np.array([0]))
    return VerificationSet("set", FacesInMemory(names, FACES), pairs, True, "ab")


def test_each_face_is_covered_by_what_its_name_says():
    covered = CoveredFaces(vset(NAMES), 0.3, seed=5)
    for position, name in enumerate(NAMES):
        expected = Occluder(share=0.3, seed=5).cover(FACES[position].copy(), name)
        np.testing.assert_array_equal(covered.faces.face(position), expected)
        assert (expected != FACES[position]).any()
    np.testing.assert_array_equal(vset(NAMES).photos.faces, FACES)


def test_its_content_says_what_covers():
    contents = {
        CoveredFaces(vset(names), share, seed).content
        for names, share, seed in (
            (NAMES, 0.3, 5),
            (NAMES, 0.4, 5),
            (NAMES, 0.3, 6),
            (["c/c_1.jpg", "b/b_1.jpg"], 0.3, 5),
        )
    }
    assert len(contents) == 4
    assert CoveredFaces(vset(NAMES), 0.3, 5).content in contents
