import shutil

import numpy as np
import pytest

from tests.evaluation.drawn import ByColour, photo, write_photos
from xcos_tf.errors import XcosError
from xcos_tf.evaluation import aligned_faces
from xcos_tf.evaluation.people_set import people_set


@pytest.fixture
def by_colour(monkeypatch):
    monkeypatch.setattr(aligned_faces, "FaceAligner", ByColour)


@pytest.fixture
def people(tmp_path, by_colour):
    """Five people with four photos each, one of them without a face, and a file that is none."""
    photos = {f"{p}/deep {i % 2}/{i}.png": photo(10 * p + i) for p in range(5) for i in range(4)}
    photos |= {"2/deep 1/1.png": photo(None), "3/deep 0/text.jpg": b"no photo"}
    return write_photos(tmp_path / "people", photos)


@pytest.fixture
def ar(tmp_path, by_colour):
    """Four people of AR in a flat folder, 26 shots each; one scarf hides a face."""
    photos = {
        f"{p}-{i:02d}.bmp": photo(100 * k + i)
        for k, p in enumerate(("M-001", "m-002", "W-001", "W-002"))
        for i in range(1, 27)
    }
    return write_photos(tmp_path / "AR", photos | {"W-002-13.bmp": photo(None)})


def ends(vset):
    """Return each pair's two names."""
    names = vset.pairs.photos
    pairs = zip(vset.pairs.first, vset.pairs.second, strict=True)
    return [(names[a], names[b]) for a, b in pairs]


def test_pairs_are_of_one_person_or_of_two_and_none_is_drawn_twice(people):
    vset = people_set(people, 20, 40, seed=3)
    assert vset.name == "people" and vset.aligned and vset.videos is None
    for (a, b), same in zip(ends(vset), vset.pairs.same, strict=True):
        assert a != b and (a.split("/")[0] == b.split("/")[0]) == same
    assert vset.pairs.same.sum() == 20 and len(vset.pairs) == 60
    assert len({frozenset(pair) for pair in ends(vset)}) == 60
    for fold in range(10):
        assert vset.pairs.same[vset.pairs.fold == fold].tolist() == [True] * 2 + [False] * 4
    assert set(vset.photos.names) == set(vset.pairs.photos)


def test_photos_without_a_face_are_dropped_before_the_draw(people):
    everything = people_set(people, 27, 144, seed=0)  # all that 19 photos of 5 people make
    assert {x.name for x in everything.skipped} == {"2/deep 1/1.png", "3/deep 0/text.jpg"}
    assert not {x.name for x in everything.skipped} & set(everything.photos.names)
    assert len(everything.photos) == 19
    assert "from 19 of 21 photos, of 5 people" in everything.notes[0]
    assert everything.notes[1].startswith("Left out: 2 photos")
    with pytest.raises(XcosError, match=r"19 photos of 5 people .* make 27 genuine pairs, and 28"):
        people_set(people, 28, 10)
    with pytest.raises(XcosError, match="make 144 impostor pairs, and 145 are to be drawn"):
        people_set(people, 10, 145)


def test_what_cannot_be_enough_is_said_before_faces_are_looked_for(people, monkeypatch):
    monkeypatch.setattr(aligned_faces, "FaceAligner", None)
    with pytest.raises(XcosError, match=r"21 photos of 5 people .* make 34 genuine pairs"):
        people_set(people, 35, 10)


def test_the_faces_are_those_of_the_names(people):
    vset = people_set(people, 10, 10)
    for position, name in enumerate(vset.photos.names):
        person, _, shot = name.replace(".png", "").split("/")
        expected = (10 * int(person) + int(shot) + 1).to_bytes(3, "big")
        assert bytes(vset.photos.read(position)[60, 60]) == expected


def test_a_seed_gives_the_same_pairs_wherever_the_photos_are(people, tmp_path):
    known = people_set(people, 10, 10, seed=1)
    shutil.copytree(people, tmp_path / "copy")
    copied = people_set(tmp_path / "copy", 10, 10, seed=1)
    assert ends(copied) == ends(known) and copied.fingerprint == known.fingerprint
    other = people_set(people, 10, 10, seed=2)
    assert ends(other) != ends(known) and other.fingerprint != known.fingerprint


def test_aligned_faces_are_drawn_from_as_they_are(people, monkeypatch):
    monkeypatch.setattr(aligned_faces, "FaceAligner", None)
    vset = people_set(people, 30, 10, aligned=True)
    assert vset.aligned and vset.skipped == () and len(vset.notes) == 2
    assert "from 21 of 21 photos" in vset.notes[0]
    first = vset.photos.names.index("0/deep 0/0.png")
    assert bytes(vset.photos.read(first)[0, 0]) == bytes([0, 0, 1])


def test_aligning_here_makes_another_set_than_taking_faces_as_they_are(tmp_path, by_colour):
    faces = {f"{p}/{i}.png": photo(10 * p + i) for p in range(2) for i in range(2)}
    folder = write_photos(tmp_path, faces)
    here, stored = (people_set(folder, 2, 4, aligned=aligned) for aligned in (False, True))
    assert ends(here) == ends(stored) and here.fingerprint != stored.fingerprint


def test_a_person_of_ar_is_in_the_names(ar):
    vset = people_set(ar, 100, 100)
    for (a, b), same in zip(ends(vset), vset.pairs.same, strict=True):
        assert (a[:5] == b[:5]) == same
    assert "of 4 people" in vset.notes[0]


@pytest.mark.parametrize("folder", ["", "m", "a/b"])
def test_sub_folders_are_no_people_where_the_names_are_of_ar(ar, folder):
    for path in sorted(ar.iterdir())[::2]:
        (ar / folder).mkdir(parents=True, exist_ok=True)
        path.rename(ar / folder / path.name)
    assert "of 4 people" in people_set(ar, 100, 100).notes[0]


def test_one_name_as_those_of_ar_does_not_make_it_ar(people):
    (people / "0/deep 0/0.png").rename(people / "0/deep 0/M-001-08.png")
    assert "of 5 people" in people_set(people, 10, 10).notes[0]


@pytest.mark.parametrize(
    ("select", "shots", "count"),
    [
        (["sunglasses"], {8, 9, 10, 21, 22, 23}, 24),
        (["Scarf"], {11, 12, 13, 24, 25, 26}, 23),
        (["scarf", "SUNGLASSES"], {*range(8, 14), *range(21, 27)}, 47),
    ],
)
def test_shots_of_ar_have_tags(ar, select, shots, count):
    vset = people_set(ar, 50, 150, select=select)
    assert {int(name[6:8]) for name in vset.photos.names} <= shots
    assert f"from {count} of 104 photos" in vset.notes[0]
    assert [x.name for x in vset.skipped] == ["W-002-13.bmp"] * (select != ["sunglasses"])
    assert vset.name == "-".join(["AR", *select])


def test_tags_are_words_of_the_path(people):
    vset = people_set(people, 5, 10, select=["1"])
    for name in vset.photos.names:
        assert name.startswith("1/") or "deep 1/" in name or name.endswith("/1.png")
    vset = people_set(people, 5, 5, select=["DEEP"])
    assert "from 19 of 21 photos, those with DEEP" in vset.notes[0]
    for unknown in ("dee", "scarf", "deep 1"):
        with pytest.raises(XcosError, match=f"no photo of .* has the tag '{unknown}'"):
            people_set(people, 5, 5, select=["deep", unknown])


def test_raw_photos_of_ar(tmp_path, by_colour):
    for person in ("m-001", "w-001"):
        for shot in range(1, 4):
            planes = np.full((3, 576, 768), shot, np.uint8)
            planes[0] = 50
            planes.tofile(tmp_path / f"{person}-{shot:02d}.raw")
    (tmp_path / "m-001-04.raw").write_bytes(b"cut short")
    vset = people_set(tmp_path, 6, 9)
    assert [x.name for x in vset.skipped] == ["m-001-04.raw"]
    position = vset.photos.names.index("w-001-03.raw")
    assert bytes(vset.photos.read(position)[0, 0]) == bytes([50, 3, 3])


def test_photos_that_are_nobodys_are_refused(people):
    (people / "stray.png").write_bytes(photo(3))
    with pytest.raises(XcosError, match=r"the photo stray\.png lies in .* itself"):
        people_set(people, 5, 5)


def test_folders_without_use_are_refused(tmp_path, by_colour):
    with pytest.raises(XcosError, match="holds no photos"):
        people_set(tmp_path, 5, 5)
    with pytest.raises(XcosError, match="there is no folder"):
        people_set(tmp_path / "nowhere", 5, 5)
    write_photos(tmp_path, {f"{p}/{i}.png": photo(None) for p in range(2) for i in range(3)})
    with pytest.raises(XcosError, match="no face was found in any of the 6 photos"):
        people_set(tmp_path, 5, 5)


@pytest.mark.parametrize(("genuine", "impostor", "seed"), [(0, 5, 0), (5, 0, 0), (5, 5, -1)])
def test_draws_of_no_use_are_refused(people, genuine, impostor, seed):
    with pytest.raises(XcosError, match=f"cannot draw {genuine} genuine and {impostor} impostor"):
        people_set(people, genuine, impostor, seed)


def test_real_photos_are_found_and_aligned(tmp_path, photos):
    for person, name in (("obama", "obama"), ("obama", "obama2"), ("biden", "biden")):
        (tmp_path / person).mkdir(exist_ok=True)
        shutil.copy(photos / f"{name}.jpg", tmp_path / person)
    (tmp_path / "biden/wall.png").write_bytes(photo(8_000_000, side=300))
    vset = people_set(tmp_path, 1, 2)
    assert [x.name for x in vset.skipped] == ["biden/wall.png"]
    assert vset.pairs.same.tolist() == [True, False, False]
    assert len(vset.photos) == 3 and vset.photos.read(0).shape == (112, 112, 3)
