import hashlib

import numpy as np
import pytest

from tests.evaluation.drawn import colour, photo, write_photos
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.verification_set import EncodedPhotos, FolderPhotos, file_digest


@pytest.fixture
def folder(tmp_path):
    return write_photos(tmp_path, {"a/1.png": photo(1), "a/2.png": photo(2, side=30)})


def test_photos_of_a_folder(folder):
    photos = FolderPhotos(folder, ["a/2.png", "a/1.png"])
    assert len(photos) == 2
    np.testing.assert_array_equal(photos.read(0), np.full((30, 30, 3), colour(2)))
    np.testing.assert_array_equal(photos.read(1), np.full((112, 112, 3), colour(1)))
    assert photos.digest(1) == hashlib.sha256(photo(1)).digest()


def test_photos_that_cannot_be_read_are_named(folder):
    photos = FolderPhotos(folder, ["a/1.png", "a/3.png"])
    (folder / "a/1.png").write_bytes(photo(1)[:-30])
    with pytest.raises(XcosError, match=r"a/1\.png is damaged or cut short"):
        photos.read(0)
    with pytest.raises(XcosError, match=r"there is no file .*a/3\.png"):
        photos.read(1)
    with pytest.raises(XcosError, match=r"a/3\.png cannot be read \(No such file"):
        photos.digest(1)


def test_photos_in_memory():
    photos = EncodedPhotos("x.bin", ["image 4", "image 7"], [photo(1), photo(2)[:-30]])
    assert len(photos) == 2
    np.testing.assert_array_equal(photos.read(0), np.full((112, 112, 3), colour(1)))
    with pytest.raises(XcosError, match=r"image 7 of x\.bin: the photo is damaged"):
        photos.read(1)


def test_large_files_are_hashed_in_parts(tmp_path, random):
    content = random.bytes(2_500_000)
    (tmp_path / "large").write_bytes(content)
    assert file_digest(tmp_path / "large") == hashlib.sha256(content).digest()
