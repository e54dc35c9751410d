"""Photos become frames: aligned, and with what is wrong with each."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from xcos_tf.errors import XcosError
from xcos_tf.mobile.frames import read_frames


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
        assert not words or any(fault.startswith(words) for fault in frame.faults), frame.faults
        assert (frame.face is None) is (words == "shows no face")
        assert frame.face is None or frame.face.shape == (112, 112, 3)


def test_aligned_faces_are_taken_as_they_are(portraits, tmp_path):
    good = save(tmp_path, "good", Image.fromarray(portraits["obama"]))
    dark = save(tmp_path, "dark", Image.fromarray(portraits["obama"] // 5))
    frames = read_frames([good, dark], aligned=True)
    np.testing.assert_array_equal(frames[0].face, portraits["obama"])
    assert frames[0].usable
    assert not frames[1].usable and frames[1].faults[0].startswith("is too dark")


def test_photo_that_is_not_aligned_as_promised(photos):
    with pytest.raises(XcosError, match="910×1137 pixels and an aligned face is 112×112"):
        read_frames([str(photos / "obama.jpg")], aligned=True)


@pytest.mark.parametrize("aligned", [False, True])
def test_missing_photo(tmp_path, aligned):
    with pytest.raises(XcosError, match=r"missing.jpg"):
        read_frames([str(tmp_path / "missing.jpg")], aligned)
