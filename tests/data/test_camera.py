"""A frame of a webcam, of a stand-in for OpenCV."""

import sys
from types import SimpleNamespace

import numpy as np
import pytest

from tests.conftest import PHOTOS
from xcos_tf.cli.main import main
from xcos_tf.data.photo import read_photo, take_photo
from xcos_tf.errors import XcosError


@pytest.fixture
def camera(monkeypatch):
    """Put in what each frame is to be: `there`, and `frame`, BGR; says if it was let go."""
    known = SimpleNamespace(there=True, frame=None, released=False, level=3)

    class VideoCapture:
        def __init__(self, number):
            assert number == 0

        def read(self):
            return known.there, known.frame

        def release(self):
            known.released = True

    logging = SimpleNamespace(
        LOG_LEVEL_SILENT=0,
        getLogLevel=lambda: known.level,
        setLogLevel=lambda level: setattr(known, "level", level),
    )
    stand_in = SimpleNamespace(VideoCapture=VideoCapture, utils=SimpleNamespace(logging=logging))
    monkeypatch.setitem(sys.modules, "cv2", stand_in)
    return known


def test_a_frame_is_rgb(camera):
    camera.frame = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    np.testing.assert_array_equal(take_photo(), camera.frame[..., ::-1])
    assert camera.released and camera.level == 3


def test_without_a_camera_it_is_one_sentence(camera):
    camera.there = False
    with pytest.raises(XcosError, match=r"^no camera gives a picture; connect one"):
        take_photo()
    assert camera.released and camera.level == 3


def test_without_opencv_it_is_one_sentence(monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(XcosError, match=r"a camera needs another package.*xcos_tf\[camera\]"):
        take_photo()


def test_verify_takes_the_second_photo(camera, capsys):
    camera.frame = read_photo(PHOTOS / "obama2.jpg")[..., ::-1]
    obama = str(PHOTOS / "obama.jpg")
    assert main(["verify", obama, "--camera"]) == 0
    with_camera = capsys.readouterr().out
    assert main(["verify", obama, str(PHOTOS / "obama2.jpg")]) == 0
    assert capsys.readouterr().out == with_camera
    for words in (["--camera"], [obama, obama, "--camera"]):
        assert main(["verify", *words]) == 2
        assert "two photos are needed; give A and B" in capsys.readouterr().err
