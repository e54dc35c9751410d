"""Copies of whole folders: what is in them, stopping and going on, and what is refused."""

import csv
import json
import re
import shutil

import numpy as np
import pytest
from PIL import Image

from tests.covering import contents, pixels, write_faces
from xcos_tf import __version__
from xcos_tf.data import occlude_folder as module
from xcos_tf.data.occlude_folder import occlude_folder
from xcos_tf.data.occlusion import Occluder
from xcos_tf.errors import XcosError

FACES = ("Ann/1.jpg", "Ann/2.JPEG", "Bob/deep/3.png")
COPIES = ("Ann/1.png", "Ann/2.png", "Bob/deep/3.png")
LISTS = {"failures.csv", "occlusion.json"}
STROKES = Occluder(share=0.3)


@pytest.fixture
def tree(tmp_path):
    """A folder of three faces."""
    write_faces(tmp_path / "faces", FACES)
    return tmp_path / "faces"


def failures(folder):
    with open(folder / "failures.csv", newline="") as stream:
        return dict(csv.reader(stream))


@pytest.mark.parametrize("share", [0.01, 0.3, 1.0])
def test_the_share_is_exact_in_every_copy(tree, tmp_path, share):
    summary = occlude_folder(tree, tmp_path / "out", Occluder(share=share))
    assert contents(tmp_path / "out").keys() == {*COPIES, *LISTS}
    assert (summary.covered, summary.already_done, summary.failed) == (3, 0, 0)
    for face, copy in zip(FACES, COPIES, strict=True):
        image = Image.open(tmp_path / "out" / copy)
        assert (image.format, image.mode) == ("PNG", "RGB")
        changed = (np.asarray(image) != pixels(tree / face)).any(-1)
        assert changed.mean() == pytest.approx(share, abs=0.01 * share)


def test_a_worn_shape_covers_where_it_should(tree, tmp_path):
    occlude_folder(tree, tmp_path / "out", Occluder(worn="scarf"))
    for face, copy in zip(FACES, COPIES, strict=True):
        changed = (pixels(tmp_path / "out" / copy) != pixels(tree / face)).any(-1)
        assert changed[100:].all() and not changed[:50].any()


def test_the_seed_and_the_name_say_it_all(tree, tmp_path):
    for name, seed in (("one", 0), ("same", 0), ("other", 1)):
        occlude_folder(tree, tmp_path / name, Occluder(share=0.3, seed=seed))
    one, other = contents(tmp_path / "one"), contents(tmp_path / "other")
    assert contents(tmp_path / "same") == one
    assert all(other[copy] != one[copy] for copy in COPIES)
    assert json.loads(one["occlusion.json"]) == {"version": __version__, "seed": 0, "share": 0.3}

    shutil.rmtree(tree / "Ann")
    write_faces(tree, ["Aaa/new.png", "Bob/new.png"])
    moved = shutil.move(tree, tmp_path / "moved")
    occlude_folder(moved, tmp_path / "others", STROKES)
    assert contents(tmp_path / "others")["Bob/deep/3.png"] == one["Bob/deep/3.png"]


def test_what_is_no_face_is_listed(tree, tmp_path):
    write_faces(tree, ["Bob/large.png"], side=113)
    (tree / "Bob" / "text.jpg").write_text("no photo")
    (tree / "Bob" / "cut.png").write_bytes((tree / "Bob/deep/3.png").read_bytes()[:5000])
    out = tmp_path / "out"
    summary = occlude_folder(tree, out, STROKES)
    assert (summary.covered, summary.failed) == (3, 3)
    assert contents(out).keys() == {*COPIES, *LISTS}
    reasons = failures(out)
    assert reasons.keys() == {"photo", "Bob/large.png", "Bob/text.jpg", "Bob/cut.png"}
    assert "large.png is not a 112×112 face; run `xcos align` first" in reasons["Bob/large.png"]
    assert "is damaged or cut short" in reasons["Bob/cut.png"]

    write_faces(tree, ["Bob/large.png", "Bob/cut.png"])
    summary = occlude_folder(tree, out, STROKES)
    assert (summary.covered, summary.already_done, summary.failed) == (2, 3, 1)
    assert failures(out).keys() == {"photo", "Bob/text.jpg"}


@pytest.mark.parametrize("stop", [KeyboardInterrupt, SystemExit])
def test_stopped_halfway_it_goes_on(tree, tmp_path, monkeypatch, stop):
    occlude_folder(tree, tmp_path / "whole", STROKES)
    out, write = tmp_path / "out", module.write_face

    def write_one(target, image):
        if list(out.rglob("*.png")):
            raise stop
        write(target, image)

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_face", write_one)
        with pytest.raises(stop):
            occlude_folder(tree, out, STROKES)
    [done] = out.rglob("*.png")
    before = done.stat().st_mtime_ns
    (out / "Ann").mkdir(exist_ok=True)
    (out / "Ann" / ".xcos-0123456789abcdef.part").write_bytes(b"half")
    summary = occlude_folder(tree, out, STROKES)
    assert (summary.covered, summary.already_done) == (2, 1)
    assert done.stat().st_mtime_ns == before
    assert contents(out) == contents(tmp_path / "whole")


def test_killed_at_once_it_starts(tree, tmp_path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / ".xcos-0123456789abcdef.part").write_text('{"ver')
    assert occlude_folder(tree, tmp_path / "out", STROKES).covered == 3


@pytest.mark.parametrize(
    "other, sentence",
    [
        (Occluder(share=0.3, seed=1), "copy with seed 0, and this one is to have seed 1; choose"),
        (Occluder(share=0.4), "copy with share 0.3, and this one is to have share 0.4; choose"),
        (Occluder(worn="hand"), "with share 0.3, no wear, and .* have no share, wear hand; choose"),
    ],
)
def test_a_copy_with_other_settings_is_left_alone(tree, tmp_path, other, sentence):
    occlude_folder(tree, tmp_path / "out", STROKES)
    (tmp_path / "out" / COPIES[0]).unlink()
    before = contents(tmp_path / "out")
    with pytest.raises(XcosError, match=sentence):
        occlude_folder(tree, tmp_path / "out", other)
    assert contents(tmp_path / "out") == before


def test_another_version_may_cover_otherwise(tree, tmp_path):
    occlude_folder(tree, tmp_path / "out", STROKES)
    settings = tmp_path / "out" / "occlusion.json"
    settings.write_text(settings.read_text().replace(__version__, "0.0.1"))
    with pytest.raises(XcosError, match=rf"version 0\.0\.1, .* version {re.escape(__version__)}"):
        occlude_folder(tree, tmp_path / "out", STROKES)


@pytest.mark.parametrize(
    "content", ["", "{", "[1]", "\xff", "[" * 100_000, '{"share": NaN}', '{"share": 1e999}']
)
def test_damaged_settings_are_named(tree, tmp_path, content):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "occlusion.json").write_bytes(content.encode("latin-1"))
    with pytest.raises(XcosError, match=r"out/occlusion\.json .*; delete its folder"):
        occlude_folder(tree, tmp_path / "out", STROKES)


def test_other_files_are_left_alone(tree, tmp_path):
    """Faces that are there already must not pass for covered ones."""
    write_faces(tmp_path / "out", COPIES)
    before = contents(tmp_path / "out")
    with pytest.raises(XcosError, match="out holds other files; choose a folder that is empty"):
        occlude_folder(tree, tmp_path / "out", STROKES)
    assert contents(tmp_path / "out") == before


def test_bad_folders(tree, tmp_path):
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    write_faces(tmp_path / "photos", ["a.png", "b.png"], side=250)
    write_faces(tmp_path / "twins", ["x/a.jpg", "x/a.png"])
    out = tmp_path / "out"
    for source, destination, sentence in [
        (tmp_path / "nowhere", out, "there is no folder"),
        (tmp_path / "empty", out, "holds no photos"),
        (tree, tree / "out", "one within the other"),
        (tree, tmp_path, "one within the other"),
        (tree, tmp_path / "file", "is not a folder"),
        (tree, tmp_path / "file" / "out", "cannot be written"),
        (tmp_path / "photos", out, r"holds no aligned face; the first of 2: .*a\.png is not a 112"),
        (tmp_path / "twins", out, r"x/a\.jpg and x/a\.png would both become x/a\.png; rename"),
    ]:
        before = contents(tmp_path)
        with pytest.raises(XcosError, match=sentence):
            occlude_folder(source, destination, STROKES)
        assert contents(tmp_path) == before
    assert not out.exists()


def test_disk_full(tree, tmp_path, monkeypatch):
    def full(*args, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", full)
    with pytest.raises(XcosError, match=r"out cannot be written \(No space left on device\)"):
        occlude_folder(tree, tmp_path / "out", STROKES)
    assert contents(tmp_path / "out").keys() == LISTS
