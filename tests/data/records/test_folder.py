import os

import pytest

from tests.data.records.sources import write_people
from xcos_tf.data.records.source import FolderSource
from xcos_tf.errors import XcosError


def test_people_and_faces_are_sorted(tmp_path):
    files = write_people(tmp_path, {"bea": 3, "al": 2, "cy": 1})
    (tmp_path / "nobody").mkdir()
    (tmp_path / ".hidden").mkdir()
    (tmp_path / "bea" / ".hidden.jpg").write_bytes(b"x")
    (tmp_path / "bea" / "folder").mkdir()
    (tmp_path / "readme.txt").write_text("beside the people")
    source = FolderSource(tmp_path)
    assert source.people == ["al", "bea", "cy"]
    records = list(source.read(0, len(source)))
    assert [r.name for r in records] == sorted(files)
    assert [r.label for r in records] == [0, 0, 1, 1, 1, 2]
    assert [r.image for r in records] == [files[r.name] for r in records]
    assert source.size == sum(map(len, files.values()))


@pytest.mark.parametrize("start, stop", [(0, 1), (1, 2), (1, 3), (2, 6), (4, 6), (3, 3)])
def test_any_stretch(tmp_path, start, stop):
    files = write_people(tmp_path, {"al": 2, "bea": 3, "cy": 1})
    names = [r.name for r in FolderSource(tmp_path).read(start, stop)]
    assert names == sorted(files)[start:stop]


def test_a_file_that_is_no_image_is_a_record_too(tmp_path):
    write_people(tmp_path, {"al": 1})
    (tmp_path / "al" / "notes.txt").write_text("no image")
    assert [r.image for r in FolderSource(tmp_path).read(1, 2)] == [b"no image"]


def test_a_name_that_is_not_utf_8(tmp_path):
    person = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(person)
    with open(person + b"/\xfe.jpg", "wb") as stream:
        stream.write(b"x")
    (record,) = FolderSource(tmp_path).read(0, 1)
    assert (record.name, record.image) == ("\udcff/\udcfe.jpg", b"x")


def test_a_source_that_changes_under_way_is_refused(tmp_path):
    write_people(tmp_path, {"al": 2})
    source = FolderSource(tmp_path)
    (tmp_path / "al" / "000.jpg").unlink()
    with pytest.raises(XcosError, match="al had 2 files and now has 1"):
        list(source.read(0, 2))


def test_fingerprint_follows_names_and_sizes(tmp_path):
    write_people(tmp_path, {"al": 2})
    prints = {FolderSource(tmp_path).fingerprint}
    assert FolderSource(tmp_path).fingerprint in prints
    (tmp_path / "al" / "000.jpg").rename(tmp_path / "al" / "00.jpg")
    prints.add(FolderSource(tmp_path).fingerprint)
    (tmp_path / "al" / "00.jpg").write_bytes(b"short")
    prints.add(FolderSource(tmp_path).fingerprint)
    assert len(prints) == 3


def test_no_people(tmp_path):
    (tmp_path / "loose.jpg").write_bytes(b"x")
    with pytest.raises(XcosError, match="holds no people; give a folder with one sub-folder"):
        FolderSource(tmp_path)
