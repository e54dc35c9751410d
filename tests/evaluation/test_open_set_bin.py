import pickle

import numpy as np
import pytest

from tests.evaluation.drawn import colour, photo
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.open_set import bin_set

SAME = [i % 2 == 0 for i in range(30)]


def write(folder, images, same=SAME):
    (folder / "cfp_fp.bin").write_bytes(pickle.dumps((images, same), protocol=4))
    return folder / "cfp_fp.bin"


@pytest.fixture
def images():
    return [photo(i) for i in range(60)]


def test_pairs_folds_and_faces(tmp_path, images):
    result = bin_set(write(tmp_path, images))
    assert result.name == "cfp_fp.bin" and result.aligned and result.videos is None
    assert result.skipped == () and len(result.photos) == 60
    np.testing.assert_array_equal(result.pairs.first, np.arange(0, 60, 2))
    np.testing.assert_array_equal(result.pairs.second, np.arange(1, 60, 2))
    np.testing.assert_array_equal(result.pairs.same, SAME)
    np.testing.assert_array_equal(result.pairs.fold, np.arange(30) // 3)
    np.testing.assert_array_equal(result.photos.read(17), np.full((112, 112, 3), colour(17)))
    assert result.photos.names[17] == result.pairs.photos[17] == "image 17"
    assert result.notes == ("The 10 folds are tenths of the file's 30 pairs in their order.",)


def test_a_face_that_is_there_twice_becomes_one_photo(tmp_path, images):
    images[7], images[20] = images[0], images[9]
    result = bin_set(write(tmp_path, images))
    assert len(result.photos) == 58 and "image 7" not in result.photos.names
    assert result.pairs.photos[result.pairs.second[3]] == "image 0"
    assert result.pairs.photos[result.pairs.first[10]] == "image 9"
    for pair, (a, b) in enumerate(zip(result.pairs.first, result.pairs.second, strict=True)):
        for position, stored in ((a, images[2 * pair]), (b, images[2 * pair + 1])):
            assert result.photos.images[position] == stored
    assert len(result.notes) == 1


def test_pairs_of_unusable_images_are_left_out_and_listed(tmp_path, images):
    images[5] = b"no image"
    images[12] = images[13] = photo(12, side=96)
    images[40] = images[40][:-30]
    images[59] = None
    result = bin_set(write(tmp_path, images))
    names, reasons = zip(*result.skipped, strict=True)
    assert names == (
        "image 5 (pair 2)",
        "image 12 (pair 6)",
        "image 13 (pair 6)",
        "image 40 (pair 20)",
        "image 59 (pair 29)",
    )
    assert "is not an image" in reasons[0] and "damaged" in reasons[3] and "empty" in reasons[4]
    assert reasons[1] == "it is 96×96, not 112×112"
    kept = np.delete(np.arange(30), [2, 6, 20, 29])
    np.testing.assert_array_equal(result.pairs.same, np.array(SAME)[kept])
    np.testing.assert_array_equal(result.pairs.fold, kept // 3)
    assert [result.pairs.photos[i] for i in result.pairs.first] == [f"image {2 * i}" for i in kept]
    assert "Pairs left out: 4, for 5 images that cannot be used." in result.notes


def test_a_fold_that_is_lost_is_not_counted(tmp_path, images):
    images[6] = images[8] = images[10] = b"no image"
    result = bin_set(write(tmp_path, images))
    assert np.unique(result.pairs.fold).tolist() == list(range(9))


def test_repeated_pairs_are_kept_as_published_and_counted(tmp_path, images):
    images[2:4] = images[1::-1]  # pair 1 is pair 0 with its faces swapped
    images[9] = images[8]
    images[11] = images[10]
    result = bin_set(write(tmp_path, images))
    assert len(result.pairs) == 30
    assert result.notes[1:] == (
        "Pairs given a second time: 1; they count, as published.",
        "Pairs of an image and itself: 2; they count, as published.",
    )


def test_the_fingerprint_is_of_the_content(tmp_path, images):
    known = bin_set(write(tmp_path, images)).fingerprint
    arrays = [np.frombuffer(image, np.uint8) for image in images]
    assert bin_set(write(tmp_path, arrays, np.array(SAME))).fingerprint == known
    images[3] = photo(1000)
    assert bin_set(write(tmp_path, images)).fingerprint != known


def test_odd_counts_and_files_of_no_use_are_refused(tmp_path, images):
    with pytest.raises(XcosError, match="59 images and 30 truth values, not two images for each"):
        bin_set(write(tmp_path, images[:59]))
    with pytest.raises(XcosError, match=r"none of the 30 pairs .*: image 0 \(pair 0\), .* 50×50"):
        bin_set(write(tmp_path, [photo(i, side=50) for i in range(60)]))
    with pytest.raises(XcosError, match=r"cfp_fp\.bin holds genuine pairs only"):
        bin_set(write(tmp_path, images, [True] * 30))
    with pytest.raises(XcosError, match="cannot be read"):
        bin_set(tmp_path / "nothing.bin")
