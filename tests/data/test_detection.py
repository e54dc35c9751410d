"""What MTCNN finds does not depend on the company a photo is in, nor on its size."""

import os
import subprocess
import sys
import threading
import time
import tracemalloc

import numpy as np
import pytest
from PIL import Image

from tests.conftest import PHOTOS
from tools.benchmark import package_by_log_odds
from xcos_tf.data import cascade, detection
from xcos_tf.data.cascade import Network
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


def test_company_changes_no_bit(detector, photos):
    """With sizes mixed, copies of one photo, others without a face and windows that tie."""
    small = [resize(photo, 200, 160) for photo in photos.values()]
    blank = np.zeros((200, 160, 3), np.uint8)
    noise = np.random.default_rng(0).integers(0, 256, (200, 160, 3), np.uint8)
    tiny = np.full((20, 20, 3), 128, np.uint8)
    two = [photos["obama2"], photos["obama2"].copy()]
    twice = np.concatenate([small[0], small[0]], axis=1)
    mixed = [blank, small[0], tiny, *two, photos["obama"], noise, small[1], twice, blank[:90]]
    mixed += [small[2], *small[1:], photos["obama2"][:, ::-1]]
    alone = [detector.detect([photo])[0] for photo in mixed]
    assert [len(faces) for faces in alone] == [0, 1, 0, 1, 1, 1, 0, 1, 2, 0, 1, 1, 1, 1]
    for found in (detector.detect(mixed), detector.detect(mixed[::-1])[::-1]):
        for faces, expected in zip(found, alone, strict=True):
            assert [face.box for face in faces] == [face.box for face in expected]
            for face, other in zip(faces, expected, strict=True):
                np.testing.assert_array_equal(face.landmarks, other.landmarks)
                assert face.confidence == other.confidence


@pytest.mark.parametrize("shape", [(20, 20), (20, 3000), (3000, 20), (1, 1), (13, 50), (25, 25)])
def test_odd_shapes_show_no_face(detector, shape):
    assert detector.detect([np.full((*shape, 3), 99, np.uint8)] * 2) == [[], []]


def test_nothing_in_nothing_out(detector):
    assert detector.detect([]) == []


def test_large_photos_are_searched_in_a_copy(detector, photos, monkeypatch):
    photo = photos["obama"]
    large = resize(photo, photo.shape[0] * 4, photo.shape[1] * 4)
    sizes = []
    find = detector._cascade.find

    def spy(copy, run):
        sizes.append(copy.shape)
        return find(copy, run)

    monkeypatch.setattr(detector._cascade, "find", spy)
    (face,), (expected,) = detector.detect([large, photo])
    assert sorted(sizes) == sorted([(1280, 1024, 3), photo.shape])
    side = expected.box[2]
    difference = np.abs((face.landmarks + 0.5) / 4 - 0.5 - expected.landmarks)
    assert difference.max() < 0.03 * side
    np.testing.assert_allclose(np.array(face.box) / 4, expected.box, atol=0.1 * side)


@pytest.mark.parametrize("size, photos_at_once", [(1, 1), (3, 3), (99, 4)])
def test_few_photos_are_searched_at_once(size, photos_at_once, monkeypatch):
    monkeypatch.setattr(detection, "Cascade", Waiting)
    detector = FaceDetector(size)
    detector.detect([np.zeros((30, 30, 3), np.uint8)] * 12)
    assert detector._cascade.most == photos_at_once


class Waiting:
    """Stands in for the cascade: each search waits for as much company as it can get."""

    def __init__(self):
        self.lock, self.running, self.most = threading.Lock(), 0, 0

    def find(self, photo, run):
        with self.lock:
            self.running += 1
            self.most = max(self.most, self.running)
        time.sleep(0.02)
        with self.lock:
            self.running -= 1
        return np.empty((0, 15), np.float32)


@pytest.fixture(scope="module")
def package():
    return package_by_log_odds()


@pytest.mark.parametrize("side", [64, 251, 500])
@pytest.mark.parametrize("name", ["obama", "obama2", "biden"])
def test_same_as_the_package(detector, package, photos, name, side):
    photo = photos[name]
    photo = resize(photo, side, round(side * photo.shape[1] / photo.shape[0]))
    ours = detector._cascade.find(photo)
    assert len(ours)
    np.testing.assert_allclose(ours, package(photo), atol=2e-3)


def test_a_pattern_of_a_thousand_faces_stays_within_memory(detector, photos):
    """Boxes are compared each with each: the package's matrices of 4,000 would take gigabytes."""
    face = resize(photos["obama"][40:440, 180:580], 24, 24)
    tracemalloc.start()
    found = detector.detect([np.tile(face, (20, 20, 1))])[0]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert len(found) > 100
    assert peak < 60e6


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


def test_a_forked_process_goes_on_without_tensorflow(photos):
    """Aligned where TensorFlow, Keras and all that only they need cannot be imported."""
    program = """
import hashlib, os, sys
class Absent:
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] in ("tensorflow", "keras", "tf_keras", "mtcnn", "scipy", "joblib"):
            raise ImportError(name)
sys.meta_path.insert(0, Absent)
from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.photo import read_photo
aligner, photo = FaceAligner(), read_photo(sys.argv[1])
def align():
    found = aligner.align([photo, photo[::-1].copy()])
    print(*[hashlib.sha256(face.image).hexdigest() for face in found], flush=True)
align()
child = os.fork()
align()
if child:
    assert os.waitpid(child, 0)[1] == 0
"""
    command = [sys.executable, "-c", program, PHOTOS / "obama.jpg"]
    quiet = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}  # as the commands set it
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, env=quiet)
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == 3 and len(set(lines)) == 1


def test_interpreters_are_kept_for_their_shapes_within_a_bound(monkeypatch):
    network = Network("pnet")
    images = [np.zeros((1, side, 40, 3), np.float32) for side in (12, 14, 16)]
    made = [network(image).shape for image in images * 2]
    assert made == [(1, 1, 15, 5), (1, 2, 15, 5), (1, 3, 15, 5)] * 2
    kept = [x[-1] for x in network._idle]
    assert kept == [(1, 12, 12, 3), *(x.shape for x in images)]  # the first is made beforehand
    monkeypatch.setattr(cascade, "_KEPT", sum(map(np.prod, kept)))
    network(np.zeros((1, 20, 20, 3), np.float32))
    assert [x[-1] for x in network._idle] == [*kept[1:], (1, 20, 20, 3)]
