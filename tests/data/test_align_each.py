import numpy as np
import pytest
from PIL import Image

from xcos_tf.data.aligner import AlignedFace, align_each
from xcos_tf.errors import XcosError


class ByBrightness:
    """Stands in for `FaceAligner`: black has no face, white breaks it."""

    def __init__(self):
        self.batches = []

    def align(self, photos):
        self.batches.append(len(photos))
        if any(photo.min() == 255 for photo in photos):
            raise RuntimeError("odd photo")
        return [AlignedFace(photo, None, 1) if photo.any() else None for photo in photos]


@pytest.fixture
def paths(tmp_path):
    for name, shade in {"a": 50, "black": 0, "b": 60, "white": 255, "c": 70}.items():
        Image.new("L", (40, 40), shade).save(tmp_path / f"{name}.png")
    Image.new("L", (50, 40), 80).save(tmp_path / "wide.png")
    (tmp_path / "text.png").write_text("no photo")
    return [
        tmp_path / f"{x}.png" for x in ("a", "text", "black", "b", "wide", "white", "c", "none")
    ]


def test_every_photo_comes_once_with_its_face_or_a_reason(paths):
    aligner = ByBrightness()
    results = list(align_each(paths, aligner, batch_size=2))
    assert [path for path, _ in results] == paths
    by_name = {path.stem: face for path, face in results}
    shades = {name: face.image.max() for name, face in by_name.items() if not isinstance(face, str)}
    assert shades == {"a": 50, "b": 60, "c": 70, "wide": 80}
    assert by_name["black"].startswith("no face was found")
    assert by_name["white"] == "face detection failed (RuntimeError: odd photo)"
    assert "is not an image" in by_name["text"] and "there is no file" in by_name["none"]
    assert max(aligner.batches) == 1


def test_photos_may_be_read_in_another_way(paths):
    def read(path):
        if path.stem == "a":
            raise XcosError("not this one")
        return np.full((30, 30, 3), 9, np.uint8)

    by_name = {path.stem: face for path, face in align_each(paths, ByBrightness(), read_one=read)}
    assert by_name.pop("a") == "not this one"
    assert all(face.image.shape == (30, 30, 3) for face in by_name.values())


def test_unreadable_photos_alone(paths):
    assert [path.stem for path, _ in align_each(paths[1:2] + paths[7:], ByBrightness())] == [
        "text",
        "none",
    ]
