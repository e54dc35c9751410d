from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image

from tests.evaluation.drawn import colour, photo, write_photos
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.aligned_faces import FaceReader
from xcos_tf.evaluation.open_set import list_set

LFW = "2\t1\nAnn\t1\t2\nAnn\t1\tBob\t1\nBob\t1\t2\nAnn\t2\tBob\t2\n"
LFW_CSV = "name,imagenum1,imagenum2,\nAnn,1,2,\nAnn,1,Bob,1\nBob,1,2,\nAnn,2,Bob,2\n"
PATHS = """first,second,same,fold
Ann/Ann_0001.png,Ann/Ann_0002.png,1,0
Ann/Ann_0001.png,Bob/Bob_0001.png,0,0
Bob/Bob_0001.png,Bob/Bob_0002.png,1,1
Ann/Ann_0002.png,Bob/Bob_0002.png,0,1
"""


@pytest.fixture
def folder(tmp_path):
    photos = [f"{name}/{name}_000{i}.png" for name in ("Ann", "Bob") for i in (1, 2)]
    return write_photos(tmp_path / "faces", {name: photo(i) for i, name in enumerate(photos)})


@pytest.fixture
def write(tmp_path):
    def write(text: str):
        (tmp_path / "list").write_text(text, encoding="utf-8")
        return tmp_path / "list"

    return write


@pytest.mark.parametrize("text", [LFW, LFW_CSV, PATHS])
def test_each_kind_of_list_opens_the_same_set(folder, write, text):
    result = list_set(folder, write(text))
    assert result.name == "faces" and not result.aligned and result.videos is None
    assert list(result.photos.names) == result.pairs.photos and len(result.photos) == 4
    np.testing.assert_array_equal(result.pairs.first, [0, 0, 2, 1])
    np.testing.assert_array_equal(result.pairs.second, [1, 2, 3, 3])
    np.testing.assert_array_equal(result.photos.read(3), np.full((112, 112, 3), colour(3)))
    assert result.fingerprint == list_set(folder, write(PATHS)).fingerprint
    assert len(result.notes) == (text == LFW_CSV)
    assert list_set(folder, write(text), aligned=True).aligned


def test_a_set_that_was_moved_keeps_its_fingerprint(folder, write, tmp_path):
    known = list_set(folder, write(PATHS)).fingerprint
    folder.rename(tmp_path / "elsewhere")
    assert list_set(tmp_path / "elsewhere", write(PATHS)).fingerprint == known
    (tmp_path / "elsewhere/Ann/Ann_0001.png").write_bytes(photo(77))
    assert list_set(tmp_path / "elsewhere", write(PATHS)).fingerprint != known


def test_a_photo_that_does_not_decode_is_named_when_it_is_read(folder, write):
    (folder / "Bob/Bob_0001.png").write_bytes(b"no photo")
    result = list_set(folder, write(LFW))
    with pytest.raises(XcosError, match=r"Bob_0001\.png is not an image"):
        result.photos.read(2)


@pytest.mark.parametrize(
    "text", ["Ann/1.png Bob/1.png 0\nAnn/2.png Bob/1.png 0\n", "1,2,3\n4,5,6\n", "{}\n{}\n"]
)
def test_unknown_lists_are_refused(folder, write, text):
    with pytest.raises(XcosError, match=r"the first line of .*, .* begins none of the lists"):
        list_set(folder, write(text))


def test_folders_and_lists_that_are_not_there_are_refused(folder, write, tmp_path):
    with pytest.raises(XcosError, match="there is no folder"):
        list_set(tmp_path / "nowhere", write(LFW))
    with pytest.raises(XcosError, match="there is no list of pairs"):
        list_set(folder, tmp_path / "nothing.txt")
    with pytest.raises(XcosError, match="holds no pairs"):
        list_set(folder, write("\n"))


FACELESS = """first,second,same
Ann/Ann_0001.png,Ann/Ann_0002.png,1
Ann/Ann_0001.png,Bob/Bob_0001.png,0
Bob/Bob_0001.png,Bob/Bob_0002.png,1
Ann/Ann_0002.png,Bob/Bob_0002.png,0
Bob/Bob_0002.png,Cid/Cid_0001.png,0
"""


class Aligner:
    """Finds a face in photos that are not black."""

    def __init__(self, *options):
        pass

    def align(self, photos):
        return [
            SimpleNamespace(image=photo[:112, :112], faces_found=1) if photo.any() else None
            for photo in photos
        ]


@pytest.fixture
def partly_faceless(folder, write, monkeypatch):
    monkeypatch.setattr("xcos_tf.evaluation.aligned_faces.FaceAligner", Aligner)
    (folder / "Cid").mkdir()
    black = np.zeros((112, 112, 3), np.uint8)
    for name in ("Cid/Cid_0001.png", "Bob/Bob_0001.png"):
        Image.fromarray(black).save(folder / name)
    return folder, write(FACELESS)


def test_all_photos_without_a_face_are_named_at_once(partly_faceless):
    faces = FaceReader(list_set(*partly_faceless))
    with pytest.raises(XcosError, match=r"found in Bob/Bob_0001.png, Cid/Cid_0001.png; take"):
        list(faces.batches(range(5), "faces"))
    (partly_faceless[0] / "Ann/Ann_0001.png").write_bytes(b"no photo")
    with pytest.raises(XcosError, match=r"3 photos cannot be used \(Ann.*not an image.*Cid.*skip"):
        list(faces.batches(range(5), "faces"))


def test_photos_without_a_face_are_left_out(partly_faceless):
    result = list_set(*partly_faceless, skip_faceless=True)
    assert [skipped.name for skipped in result.skipped] == ["Bob/Bob_0001.png", "Cid/Cid_0001.png"]
    assert result.pairs.photos == ["Ann/Ann_0001.png", "Ann/Ann_0002.png", "Bob/Bob_0002.png"]
    np.testing.assert_array_equal(result.pairs.same, [True, False])
    assert result.aligned and len(result.photos) == 3
    np.testing.assert_array_equal(result.photos.read(2), np.full((112, 112, 3), colour(3)))
    assert "2 photos that cannot be read" in result.notes[1]
    assert "3 pairs with one of them" in result.notes[1]


def test_columns_may_be_named(folder, write):
    text = PATHS.replace("first,second,same,fold", "left,right,match,part")
    with pytest.raises(XcosError, match="begins none of the lists"):
        list_set(folder, write(text))
    columns = ["left", "right", "match", "part"]
    named = list_set(folder, write(text), columns=columns)
    assert named.fingerprint == list_set(folder, write(PATHS)).fingerprint
