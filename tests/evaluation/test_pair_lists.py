import re

import numpy as np
import pytest

from tests.evaluation.drawn import photo, write_photos
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.pair_lists import read_pairs_csv, write_pairs_csv
from xcos_tf.evaluation.pairs import PairSet

GOOD = """first,second,same,fold
a/1.png,a/2.png,1,5
"a/1.png",b/1.png,0,5
b/1.png,"b/x, y.png",true,9
./a//2.png,b/1.png,False,9
"""
LFW = """name,imagenum1,imagenum2,
Ann,1,2,
Ann,1,Bob,1
Bob,1,2,
Ann,2,Bob,2
"""


@pytest.fixture
def folder(tmp_path):
    names = ["a/1.png", "a/2.png", "b/1.png", "b/x, y.png"]
    names += [f"{name}/{name}_000{i}.jpg" for name in ("Ann", "Bob") for i in (1, 2)]
    return write_photos(tmp_path / "photos", dict.fromkeys(names, photo(0)))


@pytest.fixture
def write(tmp_path):
    def write(text: str):
        (tmp_path / "pairs.csv").write_bytes(text.encode())
        return tmp_path / "pairs.csv"

    return write


@pytest.mark.parametrize(
    "text",
    [
        GOOD,
        GOOD.replace("\n", "\r\n"),
        "\ufeff" + GOOD + "\n,,,\n",
        GOOD.rstrip("\n").replace(",fold", ", Fold "),
    ],
)
def test_paths_labels_and_folds(folder, write, text):
    pairs, notes = read_pairs_csv(write(text), folder)
    assert pairs.photos == ["a/1.png", "a/2.png", "b/1.png", "b/x, y.png"]
    np.testing.assert_array_equal(pairs.first, [0, 0, 2, 1])
    np.testing.assert_array_equal(pairs.second, [1, 2, 3, 2])
    np.testing.assert_array_equal(pairs.same, [True, False, True, False])
    np.testing.assert_array_equal(pairs.fold, [0, 0, 1, 1])
    assert notes == []


def test_lists_without_folds_are_dealt_and_it_is_said(folder, write):
    text = re.sub(r",(fold|5|9)$", "", GOOD, flags=re.MULTILINE)
    pairs, notes = read_pairs_csv(write(text), folder)
    np.testing.assert_array_equal(pairs.fold, [0, 0, 1, 1])
    assert len(notes) == 1 and "dealt into 2" in notes[0]


@pytest.mark.parametrize("text", [LFW, LFW.replace(",\n", "\n"), LFW.replace(",", " , ")])
def test_the_form_of_lfw(folder, write, text):
    pairs, notes = read_pairs_csv(write(text), folder)
    assert pairs.photos == [
        "Ann/Ann_0001.jpg",
        "Ann/Ann_0002.jpg",
        "Bob/Bob_0001.jpg",
        "Bob/Bob_0002.jpg",
    ]
    np.testing.assert_array_equal(pairs.first, [0, 0, 2, 1])
    np.testing.assert_array_equal(pairs.second, [1, 2, 3, 3])
    np.testing.assert_array_equal(pairs.same, [True, False, True, False])
    np.testing.assert_array_equal(pairs.fold, [0, 0, 1, 1])
    assert "dealt into 2" in notes[0]


def test_what_is_written_is_read_again(folder, tmp_path):
    pairs = PairSet(
        ["b/x, y.png", "a/1.png", "b/1.png"],
        np.array([0, 1, 0]),
        np.array([1, 2, 2]),
        np.array([False, False, True]),
        np.array([1, 0, 1]),
    )
    write_pairs_csv(tmp_path / "out.csv", pairs)
    assert (
        (tmp_path / "out.csv").read_bytes().startswith(b'first,second,same,fold\r\n"b/x, y.png",')
    )
    again, notes = read_pairs_csv(tmp_path / "out.csv", folder)
    assert again.photos == pairs.photos and notes == []
    for side in ("first", "second", "same", "fold"):
        np.testing.assert_array_equal(getattr(again, side), getattr(pairs, side))
    with pytest.raises(XcosError, match=r"nowhere.* cannot be written"):
        write_pairs_csv(tmp_path / "nowhere/out.csv", pairs)


@pytest.mark.parametrize(
    "row",
    [
        "a/1.png,a/2.png,1",
        "a/1.png,a/2.png,1,5,6",
        "a/1.png,a/2.png,yes,5",
        "a/1.png,a/2.png,,5",
        "a/1.png,a/2.png,1,-1",
        "a/1.png,a/2.png,1,1.5",
        f"a/1.png,a/2.png,1,{'9' * 5000}",
    ],
)
def test_a_malformed_line_is_named(folder, write, row):
    text = GOOD.replace("a/1.png,a/2.png,1,5", row)
    with pytest.raises(XcosError, match=rf"line 2 of .* must be .*but is '{row[:40]}"):
        read_pairs_csv(write(text), folder)


@pytest.mark.parametrize("row", ["Ann,1", "Ann,1,Bob", "Ann,1,2,Bob,1", "Ann,1,0,", "Ann,1,Ann,2"])
def test_a_malformed_line_of_the_form_of_lfw_is_named(folder, write, row):
    with pytest.raises(XcosError, match=r"line 2 of .* must be `name,i,j,`"):
        read_pairs_csv(write(LFW.replace("Ann,1,2,", row)), folder)


def test_missing_photos_are_named(folder, write):
    with pytest.raises(XcosError, match=r"a/3\.png of line 2 of .* is not in"):
        read_pairs_csv(write(GOOD.replace("a/2.png,1", "a/3.png,1")), folder)
    with pytest.raises(XcosError, match=r"a of line 2 of .* is not in"):  # a folder
        read_pairs_csv(write(GOOD.replace("a/2.png,1", "a,1")), folder)
    with pytest.raises(XcosError, match=r"Ann/Ann_0007\.jpg of line 2 of"):
        read_pairs_csv(write(LFW.replace("Ann,1,2", "Ann,1,7")), folder)


@pytest.mark.parametrize("name", ["../out.png", "a/../../out.png", "{out}", "C:/out.png", "", "."])
def test_paths_that_lead_out_are_refused(folder, write, name):
    out = folder.parent / "out.png"
    out.write_bytes(photo(0))
    text = GOOD.replace("a/2.png,1", f"{name.format(out=out)},1")
    with pytest.raises(XcosError, match=r"line 2 of .* is not a path within the folder"):
        read_pairs_csv(write(text), folder)


def test_repeated_pairs_and_photos_against_themselves_are_refused(folder, write):
    for again in ("a/1.png,a/2.png,1,9", "a/2.png,./a/1.png,0,9"):
        text = GOOD.replace("./a//2.png,b/1.png,False,9", again)
        with pytest.raises(XcosError, match=r"lines 2 and 5 of .* hold the same pair"):
            read_pairs_csv(write(text), folder)
    with pytest.raises(XcosError, match=r"line 2 of .* compares a/1\.png with itself"):
        read_pairs_csv(write(GOOD.replace("a/2.png,1", "a//1.png,1")), folder)


def test_lists_of_one_kind_are_refused(folder, write):
    with pytest.raises(XcosError, match=r"holds genuine pairs only"):
        read_pairs_csv(write("first,second,same\na/1.png,a/2.png,1\n"), folder)
    with pytest.raises(XcosError, match=r"holds impostor pairs only"):
        read_pairs_csv(write("first,second,same\na/1.png,b/1.png,0\n"), folder)


@pytest.mark.parametrize(
    "text", ["", "\n\n", ",,\n", "first,second,same\n", "first,second,same,fold"]
)
def test_an_empty_list_is_refused(folder, write, text):
    with pytest.raises(XcosError, match=r"holds no pairs"):
        read_pairs_csv(write(text), folder)


def test_other_tables_and_other_files_are_refused(folder, write, tmp_path):
    for heading in ("left,right,same", "first,second"):
        with pytest.raises(XcosError, match=rf"the first line of .*, '{heading}', begins none of"):
            read_pairs_csv(write(f"{heading}\na/1.png,a/2.png,1\n"), folder)
    with pytest.raises(XcosError, match=r"cannot be read as a list"):
        read_pairs_csv(folder / "a/1.png", folder)
    with pytest.raises(XcosError, match=r"no list of pairs"):
        read_pairs_csv(tmp_path / "nothing.csv", folder)
    with pytest.raises(XcosError, match=r"no folder"):
        read_pairs_csv(write(GOOD), tmp_path / "nowhere")
    with pytest.raises(XcosError, match=r"line 2 of .* is no row of a table"):
        read_pairs_csv(write(GOOD.replace("a/1.png", "a" * 200_000, 1)), folder)


DEEPFACE = "file_x,file_y,Decision\na/1.png,a/2.png,Yes\na/1.png,b/1.png,No\n"


@pytest.mark.parametrize(
    "text",
    [
        DEEPFACE,
        DEEPFACE.replace("\n", "\r\n"),
        DEEPFACE.replace(",", ";"),
        DEEPFACE.replace(",", "\t"),
        "\ufeff" + DEEPFACE.replace("Yes", " YES "),
        '"file_x","file_y","Decision"\n"a/1.png","a/2.png","yes"\n"a/1.png","b/1.png","no"\n',
        ",file_x,file_y,Decision\n0,a/1.png,a/2.png,Yes\n1,a/1.png,b/1.png,No\n",
        "Decision,file_y,x,file_x\nYes,a/2.png,,a/1.png\nNo,b/1.png,,a/1.png\n",
    ],
)
def test_deepfaces_lists(folder, write, text):
    pairs, notes = read_pairs_csv(write(text), folder)
    assert pairs.photos == ["a/1.png", "a/2.png", "b/1.png"]
    np.testing.assert_array_equal(pairs.same, [True, False])
    np.testing.assert_array_equal(pairs.second, [1, 2])
    assert len(notes) == 1


@pytest.mark.parametrize("truth", ["maybe", "", "2", "yess"])
def test_a_decision_that_is_none_is_named(folder, write, truth):
    with pytest.raises(XcosError, match=r"line 2 of .* must be `file_x,file_y,Decision`"):
        read_pairs_csv(write(DEEPFACE.replace("Yes", truth)), folder)


NAMED = "id;Probe;Gallery, left;Label;Part\n7;a/1.png;a/2.png;TRUE;3\n8;a/1.png;b/1.png;0.0;9\n"


def test_columns_are_named(folder, write):
    columns = ["probe", "Gallery, left", "LABEL", "part"]
    pairs, notes = read_pairs_csv(write(NAMED), folder, columns)
    assert pairs.photos == ["a/1.png", "a/2.png", "b/1.png"]
    np.testing.assert_array_equal(pairs.same, [True, False])
    np.testing.assert_array_equal(pairs.fold, [0, 1])
    assert notes == []
    assert len(read_pairs_csv(write(NAMED), folder, columns[:3])[1]) == 1
    # Named columns go before the form that a heading has.
    pairs, _ = read_pairs_csv(write(GOOD), folder, ["second", "first", "same"])
    assert pairs.photos[:2] == ["a/2.png", "a/1.png"]


@pytest.mark.parametrize(
    "columns, sentence",
    [
        (["Probe", "Gallery, left"], "2 columns are named"),
        (["Probe", "Probe", "Label"], "3 columns are named"),
        (["Probe", "id", "Label", "Part", "x"], "5 columns are named"),
        ([], "0 columns are named"),
        (["Probe", "Gallery", "Label"], "has no column 'Gallery' in its first line; it has id, "),
        (["Probe", "Gallery, left", "id"], "line 2 of .* must be `Probe,Gallery, left,id`"),
        (["Probe", "Gallery, left", "Label", "Probe "], "must be"),
    ],
)
def test_columns_that_cannot_be_are_refused(folder, write, columns, sentence):
    with pytest.raises(XcosError, match=sentence):
        read_pairs_csv(write(NAMED), folder, columns)
