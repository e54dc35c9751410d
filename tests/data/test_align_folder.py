"""Stopping, resuming and bookkeeping, with a stand-in for MTCNN; tests/cli runs the real one."""

import csv
import os
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from xcos_tf.data import align_folder as module
from xcos_tf.data.align_folder import align_folder, aligned_name, find_photos
from xcos_tf.data.aligner import AlignedFace
from xcos_tf.data.records.source import FolderSource
from xcos_tf.errors import XcosError


class FakeAligner:
    """Colours decide: black has no face, white breaks the detector, red shows three faces."""

    def __init__(self, rule, batch_size):
        self.batches = []
        FakeAligner.last = self

    def align(self, photos):
        self.batches.append(len(photos))
        if any(photo.min() == 255 for photo in photos):
            raise RuntimeError("odd photo")
        return [self._face(photo) for photo in photos]

    def _face(self, photo):
        if not photo.any():
            return None
        image = np.broadcast_to(photo[0, 0], (112, 112, 3)).copy()
        return AlignedFace(image, None, 3 if photo[0, 0, 0] == 255 else 1)


@pytest.fixture(autouse=True)
def fake(monkeypatch):
    FakeAligner.last = None
    monkeypatch.setattr(module, "FaceAligner", FakeAligner)


@pytest.fixture
def tree(tmp_path):
    """A tree with 4 good photos (one with three faces) and 4 that fail, 1 text, 1 hidden file."""
    source = tmp_path / "photos"
    for name, colour in {
        "Ann/1.jpg": "green",
        "Ann/2.JPEG": "blue",
        "Bob/deep/3.png": "red",
        "Bob/4.webp": "lime",
        "Bob/none.png": "black",
        "odd.png": "white",
    }.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (40, 40), colour).save(source / name, lossless=True)
    (source / "Bob/text.jpg").write_text("no photo")
    (source / "empty.png").touch()
    (source / "notes.txt").write_text("not meant to be a photo")
    (source / ".hidden.jpg").write_text("neither")
    return source


def files(folder):
    return {str(p.relative_to(folder)) for p in folder.rglob("*") if p.is_file()}


def rows(path):
    with open(path, newline="") as stream:
        return dict(csv.reader(stream))


FACES = {"Ann/1.jpg", "Ann/2.JPEG", "Bob/deep/3.png", "Bob/4.webp.png"}
FAILED = {"Bob/none.png", "odd.png", "Bob/text.jpg", "empty.png"}
CSVS = {"failures.csv", "several-faces.csv"}


def test_same_tree_of_faces(tree, tmp_path, capsys):
    out = tmp_path / "made" / "faces"
    summary = align_folder(tree, out)
    assert files(out) == FACES | CSVS
    for name in FACES:
        image = Image.open(out / name)
        assert (image.size, image.mode) == ((112, 112), "RGB")
        assert image.format == ("PNG" if name.endswith("png") else "JPEG")
    np.testing.assert_allclose(np.asarray(Image.open(out / "Ann/2.JPEG"))[50, 50], [0, 0, 255], 2)
    assert (summary.aligned, summary.failed, summary.several_faces) == (4, 4, 1)
    assert (summary.already_done, summary.failed_before) == (0, 0)
    failures = rows(out / "failures.csv")
    assert set(failures) == FAILED | {"photo"}
    assert "no face was found" in failures["Bob/none.png"]
    assert "RuntimeError: odd photo" in failures["odd.png"]
    assert "is not an image" in failures["Bob/text.jpg"]
    assert "is empty" in failures["empty.png"]
    assert rows(out / "several-faces.csv") == {"photo": "faces", "Bob/deep/3.png": "3"}
    assert "8/8" in capsys.readouterr().err  # the progress bar


def test_second_run_redoes_nothing(tree, tmp_path):
    out = tmp_path / "faces"
    align_folder(tree, out)
    before = {name: (out / name).stat().st_mtime_ns for name in FACES}
    csvs = {name: (out / name).read_bytes() for name in CSVS}
    FakeAligner.last = None
    summary = align_folder(tree, out)
    assert FakeAligner.last is None  # not even loaded
    assert (summary.aligned, summary.failed) == (0, 0)
    assert (summary.already_done, summary.failed_before) == (4, 4)
    assert {name: (out / name).stat().st_mtime_ns for name in FACES} == before
    assert {name: (out / name).read_bytes() for name in CSVS} == csvs


def test_only_what_is_missing_is_done(tree, tmp_path):
    out = tmp_path / "faces"
    align_folder(tree, out)
    (out / "Bob/deep/3.png").unlink()
    Image.new("RGB", (40, 40), "teal").save(tree / "new.png")
    (tree / "empty.png").unlink()
    summary = align_folder(tree, out)
    assert (summary.aligned, summary.already_done, summary.failed_before) == (2, 3, 3)
    assert rows(out / "several-faces.csv") == {"photo": "faces", "Bob/deep/3.png": "3"}
    assert set(rows(out / "failures.csv")) == FAILED - {"empty.png"} | {"photo"}


def test_retry_failed(tree, tmp_path):
    out = tmp_path / "faces"
    align_folder(tree, out)
    Image.new("RGB", (40, 40), "teal").save(tree / "Bob/none.png")
    assert align_folder(tree, out).aligned == 0
    summary = align_folder(tree, out, retry_failed=True)
    assert (summary.aligned, summary.failed, summary.failed_before) == (1, 3, 0)
    assert set(rows(out / "failures.csv")) == FAILED - {"Bob/none.png"} | {"photo"}


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_stopped_halfway(tree, tmp_path, monkeypatch, stop):
    out = tmp_path / "faces"
    real = FakeAligner.align

    def stop_at_third(self, photos):
        if len(self.batches) == 2:
            raise stop
        return real(self, photos)

    with monkeypatch.context() as patch:
        patch.setattr(FakeAligner, "align", stop_at_third)
        with pytest.raises(stop):
            align_folder(tree, out, batch_size=1)
    finished = files(out) & FACES
    assert 0 < len(finished) < len(FACES)
    summary = align_folder(tree, out)
    assert summary.already_done == len(finished)
    assert files(out) == FACES | CSVS
    assert set(rows(out / "failures.csv")) == FAILED | {"photo"}


def test_torn_files_of_a_killed_run_are_made_anew(tree, tmp_path):
    out = tmp_path / "faces"
    align_folder(tree, out)
    whole = (out / "Bob/deep/3.png").read_bytes()
    (out / "Bob/deep/3.png").unlink()
    (out / "Bob/deep/.xcos-0123456789abcdef.part").write_bytes(whole[:50])
    failures = (out / "failures.csv").read_bytes()
    (out / "failures.csv").write_bytes(failures[:-9])
    summary = align_folder(tree, out)
    assert (summary.aligned, summary.failed, summary.failed_before) == (1, 1, 3)
    assert (out / "Bob/deep/3.png").read_bytes() == whole
    assert files(out) == FACES | CSVS
    assert set(rows(out / "failures.csv")) == FAILED | {"photo"}


def test_two_runs_at_once(tree, tmp_path, monkeypatch):
    out = tmp_path / "faces"
    real = FakeAligner.align

    def another_run(self, photos):
        with pytest.raises(XcosError, match="another `xcos align` is writing to"):
            align_folder(tree, out)
        return real(self, photos)

    monkeypatch.setattr(FakeAligner, "align", another_run)
    assert align_folder(tree, out).aligned == 4
    assert files(out) == FACES | CSVS


def test_names_that_cannot_be_written_are_listed(tree, tmp_path):
    """`.webp` becomes `.webp.png`, and a name has 255 bytes at most."""
    long = "é" * 125 + ".webp"
    Image.new("RGB", (40, 40), "lime").save(tree / long)
    longest = "x" * 251 + ".jpg"
    Image.new("RGB", (40, 40), "blue").save(tree / longest)
    out = tmp_path / "faces"
    for _ in range(2):
        align_folder(tree, out)
        assert files(out) == FACES | CSVS | {longest}
        failures = rows(out / "failures.csv")
        assert set(failures) == FAILED | {"photo", long}
        assert (
            failures[long]
            == "the face cannot have this name (File name too long); rename the photo"
        )


def test_no_two_photos_share_a_face():
    names = ["a.jpg", "a.png", "a.gif", "a.webp", "a.bmp", "a.JPG"]
    assert len({aligned_name(name) for name in names}) == len(names)


def test_bad_folders(tree, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    a_file = tmp_path / "file"
    a_file.touch()
    link = tmp_path / "link"
    link.symlink_to(tree)
    out = tmp_path / "out"
    for source, destination, sentence in [
        (tmp_path / "nowhere", out, "there is no folder"),
        (a_file, out, "is not a folder; give a folder of photos"),
        (empty, out, "holds no photos"),
        (tree, tree, "one within the other"),
        (tree, tree / "faces", "one within the other"),
        (tree, link / "faces", "one within the other"),
        (tree / "Ann", tree, "one within the other"),
        (tree, a_file, "is not a folder; choose another destination"),
        (tree, a_file / "faces", "cannot be written"),
    ]:
        before = files(tree)
        with pytest.raises(XcosError, match=sentence):
            align_folder(source, destination)
        assert files(tree) == before
    with pytest.raises(XcosError, match="no face rule 'any'"):
        align_folder(tree, out, rule="any")
    assert not out.exists()


def test_disk_full(tree, tmp_path, monkeypatch):
    def full(self, *args, **kwargs):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(XcosError, match=r"cannot be written \(No space left on device\)"):
        align_folder(tree, tmp_path / "faces")
    assert files(tmp_path / "faces") == CSVS


def test_relative_paths(tree, tmp_path, monkeypatch):
    monkeypatch.chdir(tree)
    align_folder(".", os.path.join("..", "faces"))
    assert files(tmp_path / "faces") == FACES | CSVS
    assert files(Path(".")) >= {"Ann/1.jpg"}


def test_links_to_folders_are_followed_as_by_prepare(tree, tmp_path):
    apart = tmp_path / "apart"
    (tree / "Ann").rename(apart)
    (tree / "Ann").symlink_to(apart)
    (tree / "Zoe").symlink_to("Bob")
    photos = find_photos(tree)
    assert {"Ann/1.jpg", "Ann/2.JPEG", "Bob/deep/3.png", "Zoe/deep/3.png"} <= set(photos)
    assert "Ann" in FolderSource(tree).people
    summary = align_folder(tree, tmp_path / "faces")
    assert summary.aligned + summary.failed == len(photos)
    assert (tmp_path / "faces/Ann/1.jpg").is_file() and (
        tmp_path / "faces/Zoe/deep/3.png"
    ).is_file()


@pytest.mark.parametrize("name, target", [("Ann/up", ".."), ("Ann/here", "."), ("Bob/a", "../Ann")])
def test_links_without_end_are_named(tree, name, target):
    (tree / "Ann/b").symlink_to("../Bob")
    (tree / name).symlink_to(target)
    with pytest.raises(XcosError, match="is a link to a folder that it lies in, without end"):
        find_photos(tree)


def test_links_to_nothing_and_to_themselves_are_passed_over_or_listed(tree, tmp_path):
    (tree / "Ann/gone").symlink_to("nowhere")
    (tree / "Ann/loop").symlink_to("loop")
    (tree / "Ann/loop.jpg").symlink_to("loop.jpg")
    before = align_folder(tree, tmp_path / "faces").failed
    assert "loop.jpg" in (tmp_path / "faces/failures.csv").read_text() and before
