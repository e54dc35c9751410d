"""Pictures of pairs."""

import re
from pathlib import Path

import matplotlib
import numpy as np
import pytest

from xcos_tf import training
from xcos_tf.training.validation import picture_of

EVEN = np.full((7, 7), 1 / 49)
NONE = np.zeros((7, 7))


@pytest.fixture
def faces():
    """A red and a green one."""
    red, green = np.zeros((2, 112, 112, 3), np.uint8)
    red[..., 0] = green[..., 1] = 255
    return red, green


def panels(picture, rows=1):
    """Return of each row the pixels in four columns, within whose middle a face or a map lies."""
    return [np.split(row, 4, axis=1) for row in np.split(picture, rows)]


def middle(panel):
    """Return the colour of the middle cell, (3,)."""
    height, width = panel.shape[:2]
    return panel[height // 2 + 6, width // 2].astype(int)


def share(panel, colour, tolerance=3):
    return (np.abs(panel.astype(int) - colour).max(-1) <= tolerance).mean()


def colour(name, value):
    return np.array(matplotlib.colormaps[name](value, bytes=True)[:3], int)


def test_two_faces_s_and_w_side_by_side(faces):
    picture = picture_of([("", *faces, NONE, EVEN)])
    assert (picture.dtype, picture.shape) == (np.uint8, (130, 480, 3))
    ((a, b, s, w),) = panels(picture)
    assert share(a, (255, 0, 0)) > 0.5 and share(b, (0, 255, 0)) > 0.5
    assert share(s, colour("RdBu", 0.5)) > 0.5  # 0 is white
    assert share(w, colour("Purples", 0.5)) > 0.5  # an even map is not all in the strongest colour


@pytest.mark.parametrize(
    ("value", "place"), [(1, 1.0), (-1, 0.0), (0.5, 0.75), (3, 1.0), (-3, 0.0)]
)
def test_s_goes_from_red_to_blue(faces, value, place):
    ((_, _, s, _),) = panels(picture_of([("", *faces, NONE + value, EVEN)]))
    assert share(s, colour("RdBu", place)) > 0.5


def test_the_largest_weight_has_the_strongest_colour(faces):
    peak = NONE.copy()
    peak[3, 3] = 0.4
    peak[0, 0] = 0.2
    ((_, _, _, w),) = panels(picture_of([("", *faces, NONE, peak)]))
    np.testing.assert_allclose(middle(w), colour("Purples", 1.0), atol=3)
    cell = 0.4 / 49
    assert share(w, colour("Purples", 1.0)) > cell and share(w, colour("Purples", 0.5)) > cell


def test_what_is_not_a_number_is_grey(faces):
    nothing = NONE + np.nan
    ((_, _, s, w),) = panels(picture_of([("", *faces, nothing, nothing)]))
    assert share(s, (128, 128, 128)) > 0.5 and share(w, (128, 128, 128)) > 0.5


def test_pairs_are_below_each_other_with_their_captions_above(faces):
    pairs = (*faces, NONE, EVEN), (*faces[::-1], NONE, EVEN)
    picture, other = (
        picture_of([("xCos 0.71", *pairs[0]), (caption, *pairs[1])])
        for caption in ("xCos 0.62", "$x$ 0.63")  # no formula
    )
    (first, _, _, _), (second, _, _, _) = panels(picture, 2)
    assert share(first, (255, 0, 0)) > 0.5 and share(second, (0, 255, 0)) > 0.5
    rows = np.flatnonzero((picture != other).any((1, 2)))
    assert rows.min() >= 130 and rows.max() < 130 + 26


def test_nothing_of_the_rooms_above_is_imported():
    rooms = "cli|serve|store|serving|mobile|export|explain"
    for path in Path(training.__file__).parent.glob("*.py"):
        code = path.read_text(encoding="utf-8")
        assert not re.search(rf"import xcos_tf\.({rooms})\b|from xcos_tf\.({rooms})\b|pyplot", code)
