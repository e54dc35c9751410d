import re
from pathlib import Path

import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.pair_lists import read_lfw_pairs
from xcos_tf.evaluation.pairs import pairs_of

GOOD = """2\t1
Ann_Lee\t1\t2
Ann_Lee\t1\tBob\t1
Bob\t1\t3
Cid\t12\tBob\t3
"""
PHOTOS = ("Ann_Lee_0001.jpg", "Ann_Lee_0002.png", "Bob_0001.jpg", "Bob_0003.jpeg", "Cid_0012.jpg")


@pytest.fixture
def folder(tmp_path) -> Path:
    for name in PHOTOS:
        path = tmp_path / "lfw" / name.rsplit("_", 1)[0] / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "lfw"


def write(folder: Path, text: str) -> Path:
    path = folder.parent / "pairs.txt"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace("\t", " "),
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD + "\n\n",
        GOOD.rstrip("\n"),
    ],
)
def test_reads_pairs_folds_and_each_photo_once(folder, text):
    pairs = read_lfw_pairs(write(folder, text), folder)
    assert pairs.photos == [
        "Ann_Lee/Ann_Lee_0001.jpg",
        "Ann_Lee/Ann_Lee_0002.png",
        "Bob/Bob_0001.jpg",
        "Bob/Bob_0003.jpeg",
        "Cid/Cid_0012.jpg",
    ]
    np.testing.assert_array_equal(pairs.first, [0, 0, 2, 4])
    np.testing.assert_array_equal(pairs.second, [1, 2, 3, 3])
    np.testing.assert_array_equal(pairs.same, [True, False, True, False])
    np.testing.assert_array_equal(pairs.fold, [0, 0, 1, 1])
    assert pairs.same.dtype == bool and len(pairs) == 4


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Bob\t1\t3", "Bob\t1"),
        ("Bob\t1\t3", "Bob\t1\t3\tCid\t12"),
        ("Bob\t1\t3", "Bob\t1\tthree"),
        ("Bob\t1\t3", "Bob\t0\t3"),
        ("Bob\t1\t3", "Bob\t1\t-3"),
        ("Bob\t1\t3", "Bob\t1\tBob\t3"),
        ("Bob\t1\t3", "Bob\t1\t\t3"),
        ("2\t1\n", "two\t1\n"),
        ("2\t1\n", "2\n"),
        ("2\t1\n", "0\t1\n"),
    ],
)
def test_a_malformed_line_is_named(folder, old, new):
    number = 1 if old.startswith("2") else 4
    with pytest.raises(XcosError, match=f"line {number} of .*{re.escape(repr(new.strip()))}"):
        read_lfw_pairs(write(folder, GOOD.replace(old, new, 1)), folder)


def test_line_numbers_count_blank_lines(folder):
    text = GOOD.replace("Bob\t1\t3", "\nBob\t1")
    with pytest.raises(XcosError, match="line 5 of"):
        read_lfw_pairs(write(folder, text), folder)


def test_a_missing_photo_is_named(folder):
    (folder / "Cid/Cid_0012.jpg").unlink()
    with pytest.raises(XcosError, match=r"Cid/Cid_0012\.jpg of line 5 of .*is not in"):
        read_lfw_pairs(write(folder, GOOD), folder)


def test_a_list_cut_short_is_refused(folder):
    with pytest.raises(XcosError, match=r"promises 2 × 2 × 1 = 4 pairs .* holds 3"):
        read_lfw_pairs(write(folder, GOOD.replace("Cid\t12\tBob\t3\n", "")), folder)


@pytest.mark.parametrize("text", ["", "\n\n", "10\t300\n"])
def test_an_empty_list_is_refused(folder, text):
    with pytest.raises(XcosError, match="holds no pairs"):
        read_lfw_pairs(write(folder, text), folder)


def test_missing_files_and_other_files_are_refused(folder, photos):
    with pytest.raises(XcosError, match=r"no list of pairs .*nowhere\.txt"):
        read_lfw_pairs(folder / "nowhere.txt", folder)
    with pytest.raises(XcosError, match=r"no folder .*nowhere"):
        read_lfw_pairs(write(folder, GOOD), folder / "nowhere")
    with pytest.raises(XcosError, match="cannot be read as a list"):
        read_lfw_pairs(folder, folder)
    with pytest.raises(XcosError, match="cannot be read as a list"):
        read_lfw_pairs(photos / "obama.jpg", folder)


def test_a_repeated_pair_is_named_by_its_lines(folder):
    for again in ("Ann_Lee\t1\tBob\t1", "Bob\t1\tAnn_Lee\t1"):
        text = GOOD.replace("Cid\t12\tBob\t3", again)
        with pytest.raises(XcosError, match=r"lines 3 and 5 of .*Ann_Lee_0001\.jpg"):
            read_lfw_pairs(write(folder, text), folder)


def test_a_photo_against_itself_is_refused(folder):
    text = GOOD.replace("Bob\t1\t3", "Bob\t3\t3")
    with pytest.raises(XcosError, match=r"line 4 of .* compares Bob/Bob_0003\.jpeg with itself"):
        read_lfw_pairs(write(folder, text), folder)


def test_pairs_of_one_kind_are_refused(folder):
    genuine = "1\t1\nAnn_Lee\t1\t2\nBob\t1\t3\n"
    with pytest.raises(XcosError, match="holds genuine pairs only"):
        read_lfw_pairs(write(folder, genuine), folder)
    impostor = "1\t1\nAnn_Lee\t1\tBob\t1\nBob\t1\tAnn_Lee\t2\n"
    with pytest.raises(XcosError, match="holds impostor pairs only"):
        read_lfw_pairs(write(folder, impostor), folder)


@pytest.mark.parametrize("name", ["..", "../lfw/Bob", "/etc", "C:\\faces", "..\\lfw"])
def test_names_that_lead_out_are_refused(folder, name):
    (folder.parent / "_0001.jpg").touch()
    (folder.parent / ".._0001.jpg").touch()
    with pytest.raises(XcosError, match=r"line 4 of .* is not a path within the folder"):
        read_lfw_pairs(write(folder, GOOD.replace("Bob\t1\t3", f"{name}\t1\t3")), folder)


def test_a_number_of_a_thousand_digits_is_refused(folder):
    with pytest.raises(XcosError, match="line 4 of"):
        read_lfw_pairs(write(folder, GOOD.replace("Bob\t1\t3", f"Bob\t1\t{'9' * 5000}")), folder)


def test_only_named_photos_are_kept_and_folds_numbered_anew():
    pairs, used = pairs_of(
        list("abcde"),
        np.array([4, 1]),
        np.array([1, 3]),
        np.array([True, False]),
        np.array([7, 2]),
    )
    assert pairs.photos == ["e", "b", "d"] and used == [4, 1, 3]
    np.testing.assert_array_equal(pairs.first, [0, 1])
    np.testing.assert_array_equal(pairs.second, [1, 2])
    np.testing.assert_array_equal(pairs.fold, [1, 0])
    assert {x.dtype for x in (pairs.first, pairs.second, pairs.fold)} == {np.dtype(np.int64)}
