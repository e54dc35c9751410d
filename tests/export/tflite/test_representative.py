"""Which faces int8 is calibrated on."""

import numpy as np
import pytest
from PIL import Image

from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError
from xcos_tf.export.tflite.int8 import SHIPPED, representative_faces


def test_shipped_portraits_are_those_of_the_tests_aligned(photos):
    for path in sorted(photos.glob("*.jpg")):
        (face,) = FaceAligner().align([read_photo(path)])
        shipped = read_photo(SHIPPED / f"{path.stem}.png")
        # Another machine's network finds landmarks a hair's breadth away. One portrait is as an
        # earlier aligner made it, since the thresholds of int8 were measured with it.
        limit = 14 if path.stem == "obama2" else 2
        assert np.abs(face.image.astype(int) - shipped).mean() < limit


def test_default_set_is_varied_and_the_same_each_time():
    faces = representative_faces(count=12)
    assert faces.shape == (12, 112, 112, 3) and faces.dtype == np.uint8
    np.testing.assert_array_equal(faces, representative_faces(count=12))
    assert len(np.unique(faces.reshape(12, -1), axis=0)) == 12


def test_folder_is_read_at_any_depth_and_thinned_out_evenly(tmp_path):
    for number in range(40):
        folder = tmp_path / f"person{number % 4}"
        folder.mkdir(exist_ok=True)
        Image.new("RGB", (112, 112), (number, 0, 0)).save(folder / f"{number:02}.png")
    Image.new("RGB", (96, 112)).save(tmp_path / "other.png")
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG")
    everything = representative_faces(tmp_path)
    assert sorted(everything[:, 0, 0, 0]) == list(range(40))
    some = representative_faces(tmp_path, count=8)
    assert len(some) == 8
    assert set(some[:, 0, 0, 0] % 4) == {0, 1, 2, 3}


def test_no_folder(tmp_path):
    with pytest.raises(XcosError, match="no folder"):
        representative_faces(tmp_path / "none")
