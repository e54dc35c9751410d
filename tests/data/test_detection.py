"""What MTCNN finds does not depend on the company a photo is in, nor on its size."""

import subprocess
import sys

import numpy as np
import pytest
from PIL import Image

from xcos_tf.data import detection
from xcos_tf.data.detection import DetectedFace, FaceDetector, choose_face
from xcos_tf.errors import XcosError


@pytest.fixture(scope="module")
def detector(aligner):
    return aligner._detector


def resize(photo, height, width):
    return np.asarray(Image.fromarray(photo).resize((width, height), Image.Resampling.BOX))


def test_landmarks_are_in_template_order(detector, photos):
    for photo in photos.values():
        (face,) = detector.detect([photo])[0]
        eye_l, eye_r, nose, mouth_l, mouth_r = face.landmarks
        assert face.landmarks.dtype == np.float32
        assert eye_l[0] < eye_r[0]
        assert mouth_l[0] < mouth_r[0]
        assert max(eye_l[1], eye_r[1]) < nose[1] < min(mouth_l[1], mouth_r[1])
        x, y, width, height = face.box
        assert ((face.landmarks > [x, y]) & (face.landmarks < [x + width, y + height])).all()
        assert 0.9 < face.confidence <= 1


def test_landmarks_keep_their_fractions(detector, photos):
    (face,) = detector.detect([resize(photos["obama"], 250, 200)])[0]
    assert (np.abs(face.landmarks - face.landmarks.round()) > 0.01).any()


def test_mixed_batch_equals_single_photos(detector, photos):
    small = [resize(photo, 200, 160) for photo in photos.values()]
    blank = np.zeros((200, 160, 3), np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (200, 160, 3), np.uint8)
    tiny = np.full((20, 20, 3), 128, np.uint8)
    mixed = [blank, small[0], tiny, photos["obama"], noise, small[1], blank[:90], small[2]]
    found = detector.detect(mixed)
    assert [len(faces) for faces in found] == [0, 1, 0, 1, 0, 1, 0, 1]
    for photo, faces in zip(mixed, found, strict=True):
        for face, alone in zip(faces, detector.detect([photo])[0], strict=True):
            np.testing.assert_allclose(face.landmarks, alone.landmarks, atol=1e-2)
            np.testing.assert_allclose(face.box, alone.box, atol=1e-2)


@pytest.mark.parametrize("shape", [(20, 20), (20, 3000), (3000, 20), (1, 1), (13, 50), (25, 25)])
def test_odd_shapes_show_no_face(detector, shape):
    assert detector.detect([np.full((*shape, 3), 99, np.uint8)] * 2) == [[], []]


def test_nothing_in_nothing_out(detector):
    assert detector.detect([]) == []


def test_large_photos_are_searched_in_a_copy(detector, photos, monkeypatch):
    photo = photos["obama"]
    large = resize(photo, photo.shape[0] * 4, photo.shape[1] * 4)
    sizes = []
    batch = detector._detect_batch

    def spy(copies):
        sizes.extend(copy.shape for copy in copies)
        return batch(copies)

    monkeypatch.setattr(detector, "_detect_batch", spy)
    (face,), (expected,) = detector.detect([large, photo])
    assert sizes == [(1280, 1024, 3), photo.shape]
    side = expected.box[2]
    difference = np.abs((face.landmarks + 0.5) / 4 - 0.5 - expected.landmarks)
    assert difference.max() < 0.03 * side
    np.testing.assert_allclose(np.array(face.box) / 4, expected.box, atol=0.1 * side)


def test_batches_are_bounded(detector, monkeypatch):
    sizes = []

    def fake(copies):
        sizes.append((len(copies), copies[0].shape[:2]))
        return [np.empty((0, 16)) for _ in copies]

    monkeypatch.setattr(detector, "_detect_batch", fake)
    small, wide = np.zeros((30, 30, 3), np.uint8), np.zeros((1280, 1280, 3), np.uint8)
    detector.detect([small, wide] * 20)
    assert sum(count for count, shape in sizes if shape == (30, 30)) == 20
    assert max(count for count, shape in sizes if shape == (30, 30)) == 16
    assert max(count for count, shape in sizes if shape == (1280, 1280)) == 2


def test_one_odd_photo_does_not_lose_the_others(detector, photos, monkeypatch):
    """mtcnn answers with (0, 16) for a whole batch if TensorFlow refuses anything in it."""
    good = resize(photos["obama"], 200, 160)
    odd = np.full_like(good, 255)
    real = detector._mtcnn.detect_faces

    def refuse_odd(batch, **options):
        if any((photo == 255).all() for photo in batch):
            return np.empty((0, 16))
        return real(batch, **options)

    monkeypatch.setattr(detector._mtcnn, "detect_faces", refuse_odd)
    assert [len(faces) for faces in detector.detect([good, odd, good])] == [1, 0, 1]


def test_same_as_the_package_itself(detector, photos):
    """Compiled and batched, the detector finds what `mtcnn` finds one by one, but for rounding."""
    from mtcnn import MTCNN

    photo = resize(photos["obama2"], 250, 250)
    (theirs,) = MTCNN().detect_faces(photo)
    (ours,) = detector.detect([photo] * 3)[1]
    names = ("left_eye", "right_eye", "nose", "mouth_left", "mouth_right")
    expected = np.array([theirs["keypoints"][name] for name in names], float)
    np.testing.assert_allclose(ours.landmarks, expected, atol=0.51)
    np.testing.assert_allclose(ours.box, theirs["box"], atol=0.51)
    assert abs(ours.confidence - theirs["confidence"]) < 1e-4


def face(x, y, side, confidence=0.9):
    landmarks = np.zeros((5, 2), np.float32)
    return DetectedFace((float(x), float(y), float(side), float(side)), landmarks, confidence)


def test_choose_face():
    large_left = face(0, 0, 60, confidence=0.8)
    central = face(100, 80, 50)
    sure_right = face(240, 200, 20, confidence=0.99)
    faces = [central, large_left, sure_right]
    chosen = {rule: choose_face(faces, (250, 300), rule) for rule in detection.FACE_RULES}
    assert chosen == {
        "largest-central": central,
        "largest": large_left,
        "most-confident": sure_right,
        "leftmost": large_left,
        "rightmost": sure_right,
    }
    assert choose_face(faces, (250, 300, 3)) is central
    # Much larger outweighs a little off the centre.
    assert choose_face([face(140, 115, 20), face(60, 40, 120)], (250, 300)).box[2] == 120


def test_choose_face_bad_input():
    with pytest.raises(XcosError, match=r"no face rule 'prettiest'; use one of largest-central, "):
        choose_face([face(0, 0, 9)], (20, 20), "prettiest")
    with pytest.raises(ValueError, match="at least one face"):
        choose_face([], (20, 20))
    with pytest.raises(ValueError, match="batch_size=0"):
        FaceDetector(batch_size=0)


def test_import_does_not_start_tensorflow():
    code = (
        "import sys, xcos_tf.data.aligner, xcos_tf.data.align_folder;"
        "sys.exit('tensorflow' in sys.modules or 'mtcnn' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
