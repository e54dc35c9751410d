"""Real photos end up upright on the template."""

import numpy as np
import pytest
from PIL import Image

from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.alignment import TEMPLATE_LANDMARKS, warp_face
from xcos_tf.errors import XcosError


def test_faces_land_on_the_template(aligner, photos):
    """Detected again in the aligned face, landmarks lie where the template has them."""
    for aligned in aligner.align(list(photos.values())):
        assert aligned.image.shape == (112, 112, 3)
        assert aligned.image.dtype == np.uint8
        assert aligned.faces_found == 1
        (again,) = aligner._detector.detect([aligned.image])[0]
        # Faces differ in proportion, and a similarity cannot mend that: a few pixels remain.
        assert np.abs(again.landmarks - TEMPLATE_LANDMARKS).max() < 8
        assert np.abs((again.landmarks - TEMPLATE_LANDMARKS).mean(axis=0)).max() < 2.5


@pytest.mark.parametrize("degrees", [-25, 25])
def test_tilted_heads_are_put_upright(aligner, photos, degrees):
    tilted = np.asarray(Image.fromarray(photos["obama"]).rotate(degrees, Image.Resampling.BICUBIC))
    upright, turned = aligner.align([photos["obama"], tilted])
    (again,) = aligner._detector.detect([turned.image])[0]
    assert np.abs(again.landmarks - TEMPLATE_LANDMARKS).max() < 10
    inner = np.s_[30:95, 30:80]
    not_turned = warp_face(tilted, upright.face.landmarks)

    def likeness(face):
        return np.corrcoef(upright.image[inner].ravel(), face[inner].ravel())[0, 1]

    assert likeness(turned.image) > 0.8 > likeness(not_turned) + 0.2


def test_no_face_is_none_and_order_is_kept(aligner, photos):
    blank = np.full((300, 300, 3), 128, np.uint8)
    first, none, second = aligner.align([photos["obama"], blank, photos["biden"]])
    assert none is None
    np.testing.assert_array_equal(first.image, aligner.align([photos["obama"]])[0].image)
    np.testing.assert_array_equal(second.image, aligner.align([photos["biden"]])[0].image)


def test_several_faces_are_counted_and_the_rule_chooses(aligner, photos, monkeypatch):
    left = np.asarray(Image.fromarray(photos["obama"]).resize((300, 400)))
    right = np.asarray(Image.fromarray(photos["biden"]).crop((300, 0, 970, 893)).resize((300, 400)))
    both = np.concatenate([left, right], axis=1)
    for rule, expected in (("leftmost", left), ("rightmost", right)):
        monkeypatch.setattr(aligner, "_rule", rule)  # sparing the load of another detector
        chosen, alone = aligner.align([both, expected])
        assert chosen.faces_found == 2
        assert np.abs(chosen.image.astype(int) - alone.image).mean() < 6


def test_unknown_rule():
    with pytest.raises(XcosError, match="no face rule 'any'"):
        FaceAligner("any")
