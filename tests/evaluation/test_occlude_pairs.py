"""Copies of test sets: one face of each pair covered, as in the measurement under occlusion."""

import csv
import json

import numpy as np
import pytest

from tests.covering import contents, pixels, write_faces
from tests.verifying import untrained_preset
from tools import generate_faces
from xcos_tf import __version__
from xcos_tf.data import occlude_folder as module
from xcos_tf.data.occlude_folder import occlude_folder
from xcos_tf.data.occlusion import Occluder
from xcos_tf.errors import XcosError
from xcos_tf.evaluation import occluded
from xcos_tf.evaluation.occluded import draw_cover, occlude_pairs, score_occluded
from xcos_tf.evaluation.open_set import open_set
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.protocol import score_set
from xcos_tf.evaluation.verification_set import file_digest

STROKES = Occluder(share=0.3, seed=2)
NAMES = [f"{person}/{person}_{i:04d}.jpg" for person in ("Ann", "Bob", "Cid") for i in (1, 2, 3)]
LIST = """2\t3
Ann\t1\t2
Ann\t2\t3
Bob\t1\t3
Ann\t1\tBob\t1
Bob\t1\tCid\t1
Cid\t1\tAnn\t1
Cid\t1\t2
Bob\t2\t3
Ann\t1\t3
Ann\t2\tBob\t3
Cid\t2\tBob\t1
Cid\t2\tAnn\t3
"""


@pytest.fixture
def faces(tmp_path):
    """A folder of 9 faces, of which `pairs.txt` beside it names 8."""
    write_faces(tmp_path / "faces", NAMES)
    (tmp_path / "faces" / "failures.csv").write_text("photo,reason\n")
    (tmp_path / "pairs.txt").write_text(LIST)
    return tmp_path / "faces"


def copy(faces, out="out", occluder=STROKES):
    return occlude_pairs(faces, faces.parent / "pairs.txt", faces.parent / out, occluder)


def rows(out):
    with open(out / "pairs.csv", newline="") as stream:
        return list(csv.DictReader(stream))


def test_the_list_is_the_same_but_for_the_covered_faces(faces, tmp_path):
    summary = copy(faces)
    out, pairs = tmp_path / "out", open_set(faces, tmp_path / "pairs.txt", aligned=True).pairs
    cover, covered = draw_cover(pairs, STROKES.seed), set()
    assert len(rows(out)) == len(pairs) == 12
    for i, row in enumerate(rows(out)):
        assert (row["same"], row["fold"]) == (str(int(pairs.same[i])), str(i // 6))
        for end in ("first", "second"):
            name = pairs.photos[getattr(pairs, end)[i]]
            if getattr(cover, end)[i] >= len(pairs.photos):
                covered.add(name)
                assert row[end] == f"covered/{name[:-4]}.png"
            else:
                assert row[end] == f"faces/{name}"
    assert summary.covered == len(covered) == len(cover.photos)
    # What the list names, what it covers, and nothing else.
    assert contents(out).keys() == (
        {f"faces/{name}" for name in NAMES if name != "Cid/Cid_0003.jpg"}
        | {f"covered/{name[:-4]}.png" for name in covered}
        | {"pairs.csv", "occlusion.json"}
    )


def test_faces_are_as_they_were_and_covers_as_in_a_whole_copy(faces, tmp_path):
    copy(faces)
    occlude_folder(faces, tmp_path / "whole", STROKES)
    whole = contents(tmp_path / "whole")
    for name, content in contents(tmp_path / "out" / "faces").items():
        assert content == (faces / name).read_bytes()
    copies = contents(tmp_path / "out" / "covered")
    assert len(copies) > 3
    for name, content in copies.items():
        assert content == whole[name]
        plain = pixels(faces / name.replace(".png", ".jpg"))
        changed = (pixels(tmp_path / "out" / "covered" / name) != plain).any(-1)
        assert changed.mean() == pytest.approx(0.3, abs=0.003)


def test_the_seed_says_it_all(faces, tmp_path):
    for out, seed in (("one", 0), ("same", 0), ("other", 1)):
        copy(faces, out, Occluder(worn="hand", seed=seed))
    one, other = contents(tmp_path / "one"), contents(tmp_path / "other")
    assert contents(tmp_path / "same") == one
    assert other["pairs.csv"] != one["pairs.csv"]
    shared = [name for name in one.keys() & other.keys() if name.startswith("covered/")]
    assert shared and all(one[name] != other[name] for name in shared)
    assert json.loads(one["occlusion.json"]) == {
        "version": __version__,
        "seed": 0,
        "wear": "hand",
        "list": "pairs.txt",
        "list_sha256": file_digest(tmp_path / "pairs.txt").hex(),
        "set_sha256": open_set(faces, tmp_path / "pairs.txt", aligned=True).fingerprint,
    }


def test_scores_are_those_of_the_measurement_in_memory(tmp_path, tmp_path_factory):
    generate_faces.generate(tmp_path / "faces", people=4, faces=3, seed=1)
    same = [
        f"person-{a:02d}/0{i}.png,person-{a:02d}/0{i + 1}.png,1" for a in range(4) for i in (0, 1)
    ]
    other = [
        f"person-{a:02d}/0{i}.png,person-0{(a + 1) % 4}/00.png,0" for a in range(4) for i in (1, 2)
    ]
    (tmp_path / "pairs.csv").write_text("\n".join(["first,second,same", *same, *other, ""]))
    preset = str(untrained_preset(tmp_path_factory.getbasetemp()))
    vset = open_set(tmp_path / "faces", tmp_path / "pairs.csv", aligned=True)
    occlude_pairs(tmp_path / "faces", tmp_path / "pairs.csv", tmp_path / "out", STROKES)
    copied = open_set(tmp_path / "out", tmp_path / "out" / "pairs.csv", aligned=True)
    np.testing.assert_array_equal(copied.pairs.same, vset.pairs.same)
    np.testing.assert_array_equal(copied.pairs.fold, vset.pairs.fold)

    expected = score_occluded([preset], vset, shares=[0.0, 0.3], seed=STROKES.seed)
    measured = score_set([preset], copied)
    assert len(measured) > 1
    for plain, covered, found in zip(expected[0.0], expected[0.3], measured, strict=True):
        assert found.score == covered.score
        np.testing.assert_allclose(found.values, covered.values, atol=1e-5)
        assert np.abs(found.values - plain.values).max() > 1e-3


def test_stopped_halfway_it_goes_on(faces, tmp_path, monkeypatch):
    copy(faces, "whole")
    out, write = tmp_path / "out", module.write_face

    def write_two(target, image):
        if len(contents(out / "covered")) == 2:
            raise KeyboardInterrupt
        write(target, image)

    with monkeypatch.context() as patch:
        patch.setattr(module, "write_face", write_two)
        with pytest.raises(KeyboardInterrupt):
            copy(faces)
    assert not (out / "pairs.csv").exists()
    (out / "faces" / NAMES[0]).unlink()
    (out / "faces" / "Ann" / ".xcos-0123456789abcdef.part").write_bytes(b"half")
    before = {path: path.stat().st_mtime_ns for path in out.rglob("*.??g")}
    assert copy(faces).already_done == 2
    assert all(path.stat().st_mtime_ns == before[path] for path in before)
    assert contents(out) == contents(tmp_path / "whole")


def test_another_set_is_not_mixed_in(faces, tmp_path):
    copy(faces)
    before = contents(tmp_path / "out")
    (tmp_path / "pairs.txt").write_text(LIST.replace("Cid\t2\tAnn\t3", "Cid\t2\tAnn\t2"))
    with pytest.raises(XcosError, match=r"copy with list_sha256 \w{8}, set_sha256 \w{8}, and"):
        copy(faces)
    (tmp_path / "pairs.txt").write_text(LIST)
    (faces / NAMES[1]).write_bytes((faces / NAMES[2]).read_bytes())
    with pytest.raises(XcosError, match=r"copy with set_sha256 \w{8}, and"):
        copy(faces)
    with pytest.raises(XcosError, match="no list"):
        occlude_folder(faces, tmp_path / "out", STROKES)
    assert contents(tmp_path / "out") == before


@pytest.mark.parametrize(
    "name, content, sentence",
    [
        (NAMES[7], b"no photo", r"Cid_0002\.jpg is not an image"),
        (NAMES[7], None, r"Cid/Cid_0002\.jpg of line 8 of .* is not in"),
        (NAMES[0], "large", r"Ann_0001\.jpg is not a 112×112 face; run `xcos align` first"),
    ],
)
def test_a_photo_that_is_no_face_is_named(faces, tmp_path, name, content, sentence):
    if content is None:
        (faces / name).unlink()
    elif content == "large":
        write_faces(faces, [name], side=160)
    else:
        (faces / name).write_bytes(content)
    with pytest.raises(XcosError, match=sentence):
        copy(faces)
    assert not (tmp_path / "out").exists()


def test_a_face_that_is_damaged_meanwhile_is_named(faces, tmp_path, monkeypatch):
    pairs = open_set(faces, tmp_path / "pairs.txt", aligned=True).pairs
    damaged = pairs.photos[draw_cover(pairs, STROKES.seed).photos[-1]]
    monkeypatch.setattr(
        occluded, "_check_faces", lambda *_: (faces / damaged).write_bytes(b"damaged")
    )
    with pytest.raises(XcosError, match=f"{damaged} is not an image"):
        copy(faces)
    assert not (tmp_path / "out" / "pairs.csv").exists()


def test_twins_that_would_share_a_copy_are_named(tmp_path):
    write_faces(tmp_path / "faces", ["a.jpg", "a.png", "b.jpg", "b.png"])
    lines = ["a.jpg,a.png,1", "b.jpg,b.png,1", "a.jpg,b.jpg,0", "a.png,b.png,0"]
    (tmp_path / "pairs.csv").write_text("\n".join(["first,second,same", *lines]))
    with pytest.raises(XcosError, match=r"([ab])\.jpg and \1\.png would both become \1\.png"):
        occlude_pairs(tmp_path / "faces", tmp_path / "pairs.csv", tmp_path / "out", STROKES)
    assert not (tmp_path / "out").exists()


def test_videos_are_refused(tmp_path):
    write_faces(tmp_path / "frames", ["Ann/1/1.jpg", "Ann/2/1.jpg", "Bob/1/1.jpg"])
    (tmp_path / "splits.txt").write_text(
        "split number, first name, second name, similarity, is same, has mirrors, frames\n"
        "1, Ann/1, Ann/2, 1.0, 1\n1, Ann/1, Bob/1, 0.1, 0\n"
    )
    with pytest.raises(XcosError, match=r"splits\.txt is a list of videos"):
        occlude_pairs(tmp_path / "frames", tmp_path / "splits.txt", tmp_path / "out", STROKES)
    assert not (tmp_path / "out").exists()


def test_the_copy_lies_apart(faces, tmp_path):
    for out in (faces / "out", tmp_path):
        with pytest.raises(XcosError, match="one within the other"):
            occlude_pairs(faces, tmp_path / "pairs.txt", out, STROKES)


def test_disk_full_at_the_first_face(faces, tmp_path, monkeypatch):
    def full(descriptor):
        raise OSError(28, "No space left on device")

    read = occluded.read_bytes

    def read_then_fill(path):
        monkeypatch.setattr("os.fsync", full)
        return read(path)

    monkeypatch.setattr(occluded, "read_bytes", read_then_fill)
    with pytest.raises(XcosError, match=r"out cannot be written \(No space left on device\)"):
        copy(faces)
    assert contents(tmp_path / "out").keys() == {"occlusion.json"}


@pytest.fixture
def many(random):
    """1,000 pairs of 40 photos."""
    first = random.integers(0, 40, 1000)
    second = (first + random.integers(1, 40, 1000)) % 40
    photos = [f"{i}.png" for i in range(40)]
    return PairSet(photos, first, second, random.random(1000) < 0.5, np.arange(1000) % 10)


def test_one_face_of_each_pair_is_covered(many):
    cover = draw_cover(many, 3)
    plain_photo = np.concatenate([np.arange(40), cover.photos])  # of which each end is a face
    np.testing.assert_array_equal(plain_photo[cover.first], many.first)
    np.testing.assert_array_equal(plain_photo[cover.second], many.second)
    is_covered = np.stack([cover.first, cover.second]) >= 40
    np.testing.assert_array_equal(is_covered.sum(axis=0), 1)
    assert 400 < is_covered[0].sum() < 600
    np.testing.assert_array_equal(
        np.unique(np.where(is_covered, [cover.first, cover.second], 40)) - 40,
        np.arange(len(cover.photos)),
    )


def test_the_draw_follows_from_the_seed(many):
    one, same, other = (draw_cover(many, seed) for seed in (3, 3, 4))
    np.testing.assert_array_equal(one.first, same.first)
    assert ((one.first >= 40) != (other.first >= 40)).any()
