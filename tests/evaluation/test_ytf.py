import numpy as np
import pytest

from tests.evaluation.drawn import ByColour, photo, write_photos
from xcos_tf.errors import XcosError
from xcos_tf.evaluation import aligned_faces
from xcos_tf.evaluation.ytf import FRAMES, is_splits_line, ytf_set

SPLITS = """split number, pair number, first name, second name, is same
1, 1, Ann_Lee/0, Ann_Lee/2, 1
1, 2, Ann_Lee/0, Bob/1, 0
2, 1, Bob/1, Bob/3, 1
2, 2, Ann_Lee/2, Bob/3, 0
"""
VIDEOS = {"Ann_Lee/0": 25, "Ann_Lee/2": 10, "Bob/1": 3, "Bob/3": 1}


def frame(video: str, number: int) -> str:
    return f"{video}/aligned_detect_{video[-1]}.{number}.jpg"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Frames are numbered from 95, so that their order is not that of their names."""
    monkeypatch.setattr(aligned_faces, "FaceAligner", ByColour)
    frames = {
        frame(video, 95 + i): photo(1000 * number + i)
        for number, (video, count) in enumerate(VIDEOS.items())
        for i in range(count)
    }
    return write_photos(tmp_path / "frames", frames | {"Bob/1/notes.txt": b"no frame"})


@pytest.fixture
def write(tmp_path):
    def write(text: str = SPLITS):
        (tmp_path / "splits.txt").write_text(text, encoding="utf-8")
        return tmp_path / "splits.txt"

    return write


def names_of(vset) -> dict[str, list[str]]:
    return {
        video: [vset.photos.names[i] for i in frames]
        for video, frames in zip(vset.pairs.photos, vset.videos, strict=True)
    }


@pytest.mark.parametrize("aligned", [False, True])
def test_pairs_folds_and_frames(folder, write, aligned):
    vset = ytf_set(folder, write(), aligned)
    assert vset.name == "frames" and vset.aligned and vset.skipped == ()
    assert vset.pairs.photos == ["Ann_Lee/0", "Ann_Lee/2", "Bob/1", "Bob/3"]
    np.testing.assert_array_equal(vset.pairs.first, [0, 0, 2, 1])
    np.testing.assert_array_equal(vset.pairs.second, [1, 2, 3, 3])
    np.testing.assert_array_equal(vset.pairs.same, [True, False, True, False])
    np.testing.assert_array_equal(vset.pairs.fold, [0, 0, 1, 1])
    names = names_of(vset)
    spread = [1, 3, 6, 8, 11, 13, 16, 18, 21, 23]  # the middles of 10 parts of 25
    assert names["Ann_Lee/0"] == [frame("Ann_Lee/0", 95 + i) for i in spread]
    assert names["Ann_Lee/2"] == [frame("Ann_Lee/2", 95 + i) for i in range(10)]
    assert names["Bob/1"] == [frame("Bob/1", 95 + i) for i in range(3)]
    assert names["Bob/3"] == [frame("Bob/3", 95)]
    assert len(vset.photos) == 24
    position = vset.photos.names.index(frame("Ann_Lee/2", 101))
    assert bytes(vset.photos.read(position)[0, 0]) == (1007).to_bytes(3, "big")
    assert len(vset.notes) == 1 and f"up to {FRAMES} frames" in vset.notes[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("1, 1, Ann", "1, Ann"),  # five columns, with a similarity
        (", 1\n", ", 0.7, 1\n"),
        (", ", ","),
        ("split number, pair number, first name, second name, is same\n", ""),
        (", 1\n", ", 0, 1\n"),  # six columns: the label before its correction, and after
    ],
)
def test_other_forms_of_the_list(folder, write, old, new):
    text = SPLITS.replace(old, new)
    assert ytf_set(folder, write(text)).fingerprint == ytf_set(folder, write()).fingerprint


def test_aligning_here_makes_another_set_than_taking_frames_as_they_are(folder, write):
    assert ytf_set(folder, write()).fingerprint != ytf_set(folder, write(), True).fingerprint


def test_frames_without_a_face_are_dropped_and_listed(folder, write):
    dropped = [frame("Ann_Lee/2", 95), frame("Bob/1", 96), frame("Ann_Lee/2", 104)]
    for name in dropped:
        (folder / name).write_bytes(photo(None) if "Bob" in name else b"damaged")
    vset = ytf_set(folder, write())
    assert {x.name for x in vset.skipped} == set(dropped)
    assert names_of(vset)["Bob/1"] == [frame("Bob/1", 95), frame("Bob/1", 97)]
    assert len(names_of(vset)["Ann_Lee/2"]) == 8 and len(vset.pairs) == 4
    assert vset.notes[1].startswith("Left out: 3 frames")


def test_pairs_of_a_video_without_a_face_are_dropped_and_listed(folder, write):
    (folder / frame("Bob/3", 95)).write_bytes(photo(None))
    vset = ytf_set(folder, write())
    assert vset.pairs.photos == ["Ann_Lee/0", "Ann_Lee/2", "Bob/1"]
    assert len(vset.videos) == 3 and list(names_of(vset)) == vset.pairs.photos
    assert [x.name for x in vset.skipped] == [
        frame("Bob/3", 95),
        "Bob/1 and Bob/3",
        "Ann_Lee/2 and Bob/3",
    ]
    assert "and 2 pairs of videos" in vset.notes[1]


def test_a_missing_video_is_refused_or_where_frames_are_aligned_dropped(folder, write):
    (folder / frame("Bob/3", 95)).unlink()
    with pytest.raises(XcosError, match=r"the video Bob/3 of line 4 of .* has no frames in"):
        ytf_set(folder, write())
    vset = ytf_set(folder, write(), aligned=True)
    assert [x.name for x in vset.skipped] == ["Bob/1 and Bob/3", "Ann_Lee/2 and Bob/3"]
    (folder / "Bob/3").rmdir()
    assert ytf_set(folder, write(), aligned=True).fingerprint == vset.fingerprint


def test_labels_against_the_names_and_repeated_pairs_are_counted(folder, write):
    more = "2, 3, Ann_Lee/2, Ann_Lee/0, 0\n2, 4, Bob/1, Bob/1, 1\n"
    vset = ytf_set(folder, write(SPLITS + more))
    assert len(vset.pairs) == 6 and not vset.pairs.same[4]
    assert vset.notes[1:] == (
        "Pairs whose label their names contradict: 1; the label counts.",
        "Pairs given a second time: 1; they count, as published.",
        "Pairs of a video and itself: 1; they count, as published.",
    )


@pytest.mark.parametrize(
    "line",
    [
        "1, 2, Ann_Lee/0, 0",
        "1, 2, Ann_Lee/0, Bob, 0",
        "1, 2, Ann_Lee/0, Bob/1, Bob/3, 0",
        "1, 2, Ann_Lee/0, Bob/1, 2",
        "1, 2, Ann_Lee/0, Bob/1",
        "one, 2, Ann_Lee/0, Bob/1, 0",
        "Ann_Lee/0 Bob/1 0",
    ],
)
def test_a_malformed_line_is_named(folder, write, line):
    assert not is_splits_line(line)
    with pytest.raises(XcosError, match=r"line 3 of .* must hold a split's number"):
        ytf_set(folder, write(SPLITS.replace("1, 2, Ann_Lee/0, Bob/1, 0", line)))


@pytest.mark.parametrize("video", ["../Bob", "/etc/x", "Bob/../../x"])
def test_videos_outside_the_folder_are_refused(folder, write, video):
    with pytest.raises(XcosError, match=r"line 3 of .* is not a path within the folder"):
        ytf_set(folder, write(SPLITS.replace("Bob/1, 0", f"{video}, 0")))


def test_sets_of_no_use_are_refused(folder, write, tmp_path):
    with pytest.raises(XcosError, match="holds genuine pairs only"):
        ytf_set(folder, write("1, 1, Ann_Lee/0, Ann_Lee/2, 1\n1, 2, Bob/1, Bob/3, 1\n"))
    with pytest.raises(XcosError, match="holds no pairs"):
        ytf_set(folder, write(SPLITS[:60]))
    (tmp_path / "empty").mkdir()
    with pytest.raises(XcosError, match="holds no frames of the videos"):
        ytf_set(tmp_path / "empty", write(), aligned=True)
    with pytest.raises(XcosError, match="there is no folder"):
        ytf_set(tmp_path / "nowhere", write())
    with pytest.raises(XcosError, match="no list of pairs"):
        ytf_set(folder, tmp_path / "nothing.txt")
    for video, count in VIDEOS.items():
        for i in range(count):
            (folder / frame(video, 95 + i)).write_bytes(photo(None if video[0] == "A" else i + 1))
    with pytest.raises(XcosError, match="frames holds genuine pairs only"):
        ytf_set(folder, write())
