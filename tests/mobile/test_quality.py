"""Photos that are too bad are refused for the right reason, good ones are not."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from xcos_tf.data.alignment import TEMPLATE_LANDMARKS
from xcos_tf.mobile.quality import face_faults, photo_faults


def blurred(face, radius=2.0):
    return np.asarray(Image.fromarray(face).filter(ImageFilter.GaussianBlur(radius)))


def scaled(face, factor, offset=0):
    return np.clip(face * factor + offset, 0, 255).astype(np.uint8)


def test_good_faces_have_no_faults(portraits):
    for face in portraits.values():
        assert face_faults(face) == []
        assert face_faults(scaled(face, 0.7)) == []


@pytest.mark.parametrize(
    "change, words",
    [
        (blurred, "is blurred"),
        (lambda face: scaled(face, 0.2), "is too dark"),
        (lambda face: scaled(face, 0.2, 204), "is too bright"),
        (lambda face: scaled(face, 0.1, 100), "has too little contrast"),
    ],
)
def test_bad_face(portraits, change, words):
    for face in portraits.values():
        assert any(fault.startswith(words) for fault in face_faults(change(face)))


def test_flat_light_is_not_blur(portraits):
    """Sharpness is relative to contrast: a photo that just passes does so in flat light, too."""
    soft = blurred(portraits["obama2"], 0.8)
    assert face_faults(soft) == face_faults(scaled(soft, 0.36, 80)) == []


def test_only_the_face_counts(portraits):
    """Its border is hair and background."""
    for face in (portraits["obama"], scaled(portraits["obama"], 0.3)):
        bordered = face.copy()
        bordered[:20], bordered[100:], bordered[:, :22], bordered[:, 90:] = 255, 255, 255, 255
        assert face_faults(bordered) == face_faults(face)


def test_plain_faces_without_contrast():
    assert face_faults(np.full((112, 112, 3), 128, np.uint8)) == [
        "has too little contrast; clean the lens or change the light"
    ]


def test_frontal_landmarks_are_good():
    assert photo_faults(TEMPLATE_LANDMARKS, 1) == []


def test_several_faces():
    (fault,) = photo_faults(TEMPLATE_LANDMARKS, 2)
    assert fault.startswith("shows 2 faces")


def test_small_face():
    distance = np.linalg.norm(TEMPLATE_LANDMARKS[1] - TEMPLATE_LANDMARKS[0])
    assert photo_faults(TEMPLATE_LANDMARKS * 20.1 / distance, 1) == []
    (fault,) = photo_faults(TEMPLATE_LANDMARKS * 15 / distance, 1)
    assert fault.startswith("shows the eyes only 15 pixels apart; come closer")


@pytest.mark.parametrize("degrees", [0, 30, 180])
@pytest.mark.parametrize("turn, faulty", [(0.2, False), (0.3, True), (-0.3, True)])
def test_turned_face(turn, faulty, degrees):
    """The nose off the middle line by a share of the eye distance, however the head is tilted."""
    points = np.array([[0, 0], [100, 0], [50 + 100 * turn, 60], [20, 110], [80, 110]], float)
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    faults = photo_faults(points @ rotation.T, 1)
    assert [fault.split(";")[0] for fault in faults] == ["shows the face from the side"] * faulty


def test_landmarks_without_a_middle_line_are_from_the_side():
    points = np.array([[0, 0], [100, 0], [50, 0], [0, 0], [100, 0]], float)
    assert photo_faults(points, 1)[0].startswith("shows the face from the side")
