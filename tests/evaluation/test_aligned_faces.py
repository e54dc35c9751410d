import numpy as np
import pytest

from tests.evaluation.drawn import ByColour, colour, photo, write_photos
from xcos_tf.errors import XcosError
from xcos_tf.evaluation import aligned_faces
from xcos_tf.evaluation.aligned_faces import align_photos


@pytest.fixture(autouse=True)
def by_colour(monkeypatch):
    monkeypatch.setattr(aligned_faces, "FaceAligner", ByColour)


def test_faces_come_in_order_and_what_has_none_is_listed(tmp_path):
    photos = {f"{i}.png": photo(i, side=40 + i % 3) for i in range(20)}
    photos |= {"1.png": photo(None), "7.png": b"no photo", "19.png": photo(None)}
    faces, skipped = align_photos(write_photos(tmp_path, photos), list(photos))
    kept = [i for i in range(20) if i not in (1, 7, 19)]
    assert faces.names == [f"{i}.png" for i in kept]
    assert faces.pixels.shape == (17, 112, 112, 3) and faces.pixels.dtype == np.uint8
    np.testing.assert_array_equal(faces.pixels[:, 50, 50], [colour(i) for i in kept])
    assert [name for name, _ in skipped] == ["1.png", "7.png", "19.png"]
    assert "no face was found" in skipped[0].reason
    assert "is not an image" in skipped[1].reason


def test_photos_without_any_face_are_refused(tmp_path):
    folder = write_photos(tmp_path, {"a.png": photo(None), "b.png": photo(None)})
    with pytest.raises(XcosError, match=r"no face was found in any of the 2 photos of .*; a\.png"):
        align_photos(folder, ["a.png", "b.png"])
