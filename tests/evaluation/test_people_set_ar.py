import numpy as np
import pytest

from tests.evaluation.drawn import colour, photo
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.people_set import ar_person, ar_tag, read_ar_photo


def test_people():
    assert ar_person("M-001-08.bmp") == ar_person("some/folder/m-001-26.raw") == "m-001"
    assert ar_person("W-45-3.raw") == "w-45"
    assert ar_person("M-001-08.bmp.png") == "m-001"  # as `xcos align` writes it
    assert ar_person("F-050-13.png") == "f-050"
    for other in ("M-001.bmp", "X-001-08.bmp", "M-001-08-2.bmp", "M-001-08 (1).bmp", "M-1-108.bmp"):
        assert ar_person(other) is None


def test_tags():
    tags = {shot: ar_tag(f"w-012-{shot:02d}.bmp") for shot in range(1, 27)}
    assert [x for x, tag in tags.items() if tag == "sunglasses"] == [8, 9, 10, 21, 22, 23]
    assert [x for x, tag in tags.items() if tag == "scarf"] == [11, 12, 13, 24, 25, 26]
    assert ar_tag("M-001-8.raw") == "sunglasses"
    assert ar_tag("photo 8.bmp") is None


def test_raw_photos_are_planes_of_rows(tmp_path, random):
    expected = random.integers(0, 256, (576, 768, 3), dtype=np.uint8)
    planes = b"".join(expected[..., channel].tobytes() for channel in range(3))
    (tmp_path / "m-001-08.RAW").write_bytes(planes)
    read = read_ar_photo(tmp_path / "m-001-08.RAW")
    np.testing.assert_array_equal(read, expected)
    assert read.flags["C_CONTIGUOUS"]


def test_raw_photos_of_another_size_are_refused(tmp_path):
    (tmp_path / "m-001-08.raw").write_bytes(bytes(1000))
    with pytest.raises(XcosError, match=r"m-001-08\.raw has 1000 bytes, not the 1327104 of AR's"):
        read_ar_photo(tmp_path / "m-001-08.raw")
    with pytest.raises(XcosError, match="cannot be read"):
        read_ar_photo(tmp_path / "m-001-09.raw")


def test_other_photos_are_read_as_ever(tmp_path):
    (tmp_path / "M-001-08.bmp").write_bytes(photo(5, kind="BMP"))
    np.testing.assert_array_equal(
        read_ar_photo(tmp_path / "M-001-08.bmp"), np.full((112, 112, 3), colour(5))
    )
