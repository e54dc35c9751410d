"""Faces of photos that are turned, or that the face fills."""

import numpy as np
import pytest

from xcos_tf.data import detection
from xcos_tf.data.detection import POOR, DetectedFace, find_face


@pytest.mark.parametrize("turn", [90, 180, 270])
@pytest.mark.parametrize("name", ["obama", "obama2", "biden"])
def test_turned_photos_give_the_face_of_the_upright_one(aligner, photos, name, turn):
    photo = photos[name]
    turned = np.ascontiguousarray(np.rot90(photo, turn // 90))
    upright, found = aligner.align([photo, turned])
    assert (upright.turned, found.turned) == (0, turn)
    assert np.abs(upright.image.astype(int) - found.image).mean() < 2
    height, width = turned.shape[:2]
    x, y, box_width, box_height = found.face.box
    assert x >= 0 and y >= 0 and x + box_width <= width and y + box_height <= height
    assert ((found.face.landmarks > 0) & (found.face.landmarks < [width, height])).all()


@pytest.mark.parametrize("name", ["obama", "obama2"])
def test_a_face_that_fills_the_picture(aligner, photos, name):
    photo = photos[name]
    (whole,) = aligner.align([photo])
    x, y, width, height = whole.face.box
    # A tenth less than the box on each side, which no copy of the photo shows as a window.
    left, top = round(x + 0.1 * width), round(y + 0.1 * height)
    filled = photo[top : round(y + 0.9 * height), left : round(x + 0.9 * width)]
    assert aligner._detector.detect([filled]) == [[]]
    (found,) = aligner.align([filled])
    moved = found.face.landmarks + np.float32([left, top])
    eyes = np.linalg.norm(whole.face.landmarks[0] - whole.face.landmarks[1])
    assert np.abs(moved - whole.face.landmarks).max() < 0.25 * eyes
    assert found.turned == 0


def test_a_turned_photo_does_not_depend_on_others(aligner, photos):
    turned = [np.ascontiguousarray(np.rot90(photo, 2)) for photo in photos.values()]
    for together, photo in zip(aligner.align([*photos.values(), *turned])[3:], turned, strict=True):
        np.testing.assert_array_equal(together.image, aligner.align([photo])[0].image)


class Counting:
    """Finds in a view what its first pixel says: confidence in percent; 0 for no face."""

    def __init__(self):
        self.searched = []

    def detect(self, photos):
        self.searched += [photo.shape for photo in photos]
        return [self.faces(photo) for photo in photos]

    @staticmethod
    def faces(photo):
        confidence = photo[0, 0, 0] / 100
        landmarks = np.array([[2, 3], [5, 3], [4, 5], [2, 7], [5, 7]], np.float32)
        return [DetectedFace((1.0, 2.0, 6.0, 8.0), landmarks, confidence)] if confidence else []


def corners(upright, left_below, right_above, right_below):
    """A photo whose corner that comes first in each turn says how sure a face is there."""
    photo = np.zeros((40, 30, 3), np.uint8)
    photo[0, 0], photo[-1, 0], photo[0, -1], photo[-1, -1] = (
        upright,
        left_below,  # first when turned by 90°
        right_above,  # by 270°
        right_below,  # by 180°
    )
    return photo


@pytest.mark.parametrize(
    "photo, expected, searches",
    [
        (corners(99, 99, 99, 99), (0.99, 0), 0),  # good: searched no further
        (corners(98, 0, 0, 100), (0.98, 0), 0),
        (corners(97, 100, 0, 0), (1.00, 90), 3),  # poor, and a turn is sure
        (corners(97, 99, 99, 99), (0.97, 0), 3),  # good turns are not sure enough
        (corners(97, 100, 0, 100), (1.00, 180), 3),  # the first of equals
        (corners(0, 98, 99, 98), (0.99, 270), 3),  # the most confident turn; none is upright
        (corners(90, 97, 97, 97), (0.90, 0), 3),  # no turn is good
        (corners(0, 97, 97, 97), None, 7),  # a poor face of a turn is none
    ],
)
def test_the_rule(photo, expected, searches):
    detector = Counting()
    found = find_face(detector, photo, detector.faces(photo))
    assert (found and (found[0].confidence, found[2])) == expected
    assert len(detector.searched) == searches


def test_the_border_counts_a_fifth_of_the_longer_side(monkeypatch):
    detector = Counting()
    assert find_face(detector, np.zeros((50, 40, 3), np.uint8), []) is None
    assert detector.searched == [
        *((50, 40, 3), (40, 50, 3), (40, 50, 3)),
        *((70, 60, 3), (70, 60, 3), (60, 70, 3), (60, 70, 3)),
    ]
    thin = Counting()
    assert find_face(thin, np.zeros((100, 4, 3), np.uint8), []) is None
    assert thin.searched[3] == (108, 12, 3)  # the shorter side is less
    monkeypatch.setattr(
        detector, "detect", lambda photos: [detector.faces(x + np.uint8(85)) for x in photos]
    )
    assert POOR > 0.85
    face, count, turned = detection.find_face(detector, np.zeros((50, 40, 3), np.uint8), [])
    assert (face.box, count, turned) == ((-9.0, -8.0, 6.0, 8.0), 1, 0)
    np.testing.assert_array_equal(face.landmarks[0], [-8, -7])
