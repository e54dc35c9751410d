"""Real photos end up upright on the template."""

import numpy as np
import pytest
from PIL import Image

from xcos_tf.data.aligner import AlignedFace, FaceAligner, align_each
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


class ByBrightness:
    """Stands in for `FaceAligner`: black has no face, white breaks it."""

    def __init__(self):
        self.batches = []

    def align(self, photos):
        self.batches.append(len(photos))
        if any(photo.min() == 255 for photo in photos):
            raise RuntimeError("odd photo")
        return [AlignedFace(photo, None, 1) if photo.any() else None for photo in photos]


@pytest.fixture
def paths(tmp_path):
    for name, shade in {"a": 50, "black": 0, "b": 60, "white": 255, "c": 70}.items():
        Image.new("L", (40, 40), shade).save(tmp_path / f"{name}.png")
    Image.new("L", (50, 40), 80).save(tmp_path / "wide.png")
    (tmp_path / "text.png").write_text("no photo")
    return [
        tmp_path / f"{x}.png" for x in ("a", "text", "black", "b", "wide", "white", "c", "none")
    ]


def test_every_photo_comes_once_with_its_face_or_a_reason(paths):
    aligner = ByBrightness()
    results = list(align_each(paths, aligner, batch_size=2))
    assert [path for path, _ in results] == paths
    by_name = {path.stem: face for path, face in results}
    shades = {name: face.image.max() for name, face in by_name.items() if not isinstance(face, str)}
    assert shades == {"a": 50, "b": 60, "c": 70, "wide": 80}
    assert by_name["black"].startswith("no face was found")
    assert by_name["white"] == "face detection failed (RuntimeError: odd photo)"
    assert "is not an image" in by_name["text"] and "there is no file" in by_name["none"]
    assert max(aligner.batches) == 1


def test_photos_may_be_read_in_another_way(paths):
    def read(path):
        if path.stem == "a":
            raise XcosError("not this one")
        return np.full((30, 30, 3), 9, np.uint8)

    by_name = {path.stem: face for path, face in align_each(paths, ByBrightness(), read_one=read)}
    assert by_name.pop("a") == "not this one"
    assert all(face.image.shape == (30, 30, 3) for face in by_name.values())


def test_unreadable_photos_alone(paths):
    assert [path.stem for path, _ in align_each(paths[1:2] + paths[7:], ByBrightness())] == [
        "text",
        "none",
    ]
