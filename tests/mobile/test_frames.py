"""Photos become frames: aligned, and with what is wrong with each; good ones are not refused."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from xcos_tf.data.alignment import TEMPLATE_LANDMARKS
from xcos_tf.errors import XcosError
from xcos_tf.mobile.frames import face_problems, photo_problems, read_frames


def save(folder, name, image):
    path = folder / f"{name}.png"
    image.save(path)
    return str(path)


def test_photos_are_aligned_and_checked(photos, tmp_path):
    obama = Image.open(photos / "obama.jpg").convert("RGB")
    biden = Image.open(photos / "biden.jpg").convert("RGB")
    both = Image.new("RGB", (obama.width + biden.width, max(obama.height, biden.height)))
    both.paste(obama)
    both.paste(biden, (obama.width, 0))
    small = obama.resize((obama.width // 6, obama.height // 6))
    expected = {
        save(tmp_path, "good", obama): "",
        save(tmp_path, "both", both): "shows 2 faces",
        save(tmp_path, "small", small): "shows the eyes only 18 pixels apart",
        save(tmp_path, "blurred", obama.filter(ImageFilter.GaussianBlur(8))): "is blurred",
        save(tmp_path, "dark", obama.point(lambda value: 0.25 * value)): "is too dark",
        save(tmp_path, "none", Image.new("RGB", (200, 200), "grey")): "shows no face",
    }
    frames = read_frames(list(expected), aligned=False)
    assert [frame.name for frame in frames] == list(expected)
    for frame in frames:
        words = expected[frame.name]
        assert frame.usable is not bool(words)
        assert not words or any(x.startswith(words) for x in frame.problems), frame.problems
        assert (frame.face is None) is (words == "shows no face")
        assert frame.face is None or frame.face.shape == (112, 112, 3)


def test_aligned_faces_are_taken_as_they_are(portraits, tmp_path):
    good = save(tmp_path, "good", Image.fromarray(portraits["obama"]))
    dark = save(tmp_path, "dark", Image.fromarray(portraits["obama"] // 5))
    frames = read_frames([good, dark], aligned=True)
    np.testing.assert_array_equal(frames[0].face, portraits["obama"])
    assert frames[0].usable
    assert not frames[1].usable and frames[1].problems[0].startswith("is too dark")


def test_photo_that_is_not_aligned_as_promised(photos):
    with pytest.raises(XcosError, match="910×1137 pixels and an aligned face is 112×112"):
        read_frames([str(photos / "obama.jpg")], aligned=True)


@pytest.mark.parametrize("aligned", [False, True])
def test_missing_photo(tmp_path, aligned):
    with pytest.raises(XcosError, match=r"missing.jpg"):
        read_frames([str(tmp_path / "missing.jpg")], aligned)


def blurred(face, radius=2.0):
    return np.asarray(Image.fromarray(face).filter(ImageFilter.GaussianBlur(radius)))


def scaled(face, factor, offset=0):
    return np.clip(face * factor + offset, 0, 255).astype(np.uint8)


def test_good_faces_have_no_faults(portraits):
    for face in portraits.values():
        assert face_problems(face) == []
        assert face_problems(scaled(face, 0.7)) == []


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
        assert any(problem.startswith(words) for problem in face_problems(change(face)))


def test_flat_light_is_not_blur(portraits):
    """Sharpness is relative to contrast: a photo that just passes does so in flat light, too."""
    soft = blurred(portraits["obama2"], 0.8)
    assert face_problems(soft) == face_problems(scaled(soft, 0.36, 80)) == []


def test_only_the_face_counts(portraits):
    """Its border is hair and background."""
    for face in (portraits["obama"], scaled(portraits["obama"], 0.3)):
        bordered = face.copy()
        bordered[:20], bordered[100:], bordered[:, :22], bordered[:, 90:] = 255, 255, 255, 255
        assert face_problems(bordered) == face_problems(face)


def test_plain_faces_without_contrast():
    assert face_problems(np.full((112, 112, 3), 128, np.uint8)) == [
        "has too little contrast; clean the lens or change the light"
    ]


def test_frontal_landmarks_are_good():
    assert photo_problems(TEMPLATE_LANDMARKS, 1) == []


def test_several_faces():
    (problem,) = photo_problems(TEMPLATE_LANDMARKS, 2)
    assert problem.startswith("shows 2 faces")


def test_small_face():
    distance = np.linalg.norm(TEMPLATE_LANDMARKS[1] - TEMPLATE_LANDMARKS[0])
    assert photo_problems(TEMPLATE_LANDMARKS * 20.1 / distance, 1) == []
    (problem,) = photo_problems(TEMPLATE_LANDMARKS * 15 / distance, 1)
    assert problem.startswith("shows the eyes only 15 pixels apart; come closer")


@pytest.mark.parametrize("degrees", [0, 30, 180])
@pytest.mark.parametrize("turn, faulty", [(0.2, False), (0.3, True), (-0.3, True)])
def test_turned_face(turn, faulty, degrees):
    """The nose off the middle line by a share of the eye distance, however the head is tilted."""
    points = np.array([[0, 0], [100, 0], [50 + 100 * turn, 60], [20, 110], [80, 110]], float)
    angle = np.radians(degrees)
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    problems = photo_problems(points @ rotation.T, 1)
    assert [x.split(";")[0] for x in problems] == ["shows the face from the side"] * faulty


def test_landmarks_without_a_middle_line_are_from_the_side():
    points = np.array([[0, 0], [100, 0], [50, 0], [0, 0], [100, 0]], float)
    assert photo_problems(points, 1)[0].startswith("shows the face from the side")
