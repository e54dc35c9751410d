"""Pictures of pairs."""

import subprocess
import sys

import numpy as np
import pytest

from xcos_tf.training.pictures import pair_picture, tile


@pytest.fixture
def faces(random):
    return random.integers(256, size=(2, 112, 112, 3), dtype=np.uint8)


def cell(panel, row, column, shape=(7, 7)):
    """Return the one colour of a cell, a float (3,)."""
    height, width = (side // n for side, n in zip(panel.shape, shape, strict=False))
    part = panel[row * height : (row + 1) * height, column * width : (column + 1) * width]
    assert (part == part[0, 0]).all()
    return part[0, 0].astype(float)


def test_four_squares_with_gaps_between(faces):
    similarity, attention = np.zeros((7, 7)), np.full((7, 7), 1 / 49)
    similarity[0, 0], similarity[0, 1], similarity[0, 2] = 1, -1, 0.5
    similarity[0, 3], similarity[0, 4], similarity[0, 5] = 3, -3, np.nan
    attention[6, 6], attention[6, 5], attention[6, 4] = 0.4, 0.2, 0
    picture = pair_picture(*faces, similarity, attention)
    assert (picture.dtype, picture.shape) == (np.uint8, (112, 460, 3))
    a, b, s, w = (picture[:, x : x + 112] for x in (0, 116, 232, 348))
    np.testing.assert_array_equal(a, faces[0])
    np.testing.assert_array_equal(b, faces[1])
    for x in (112, 228, 344):
        assert (picture[:, x : x + 4] == 216).all()
    blue, red, pale = (cell(s, 0, i) for i in range(3))
    assert blue[2] > blue[0] + 80 and red[0] > red[2] + 60
    assert pale[2] > pale[0] and pale.sum() > blue.sum()
    assert np.ptp(cell(s, 3, 3)) < 5 and cell(s, 3, 3).min() > 240  # 0 is white
    # What lies beyond is not another colour, and what is not known is no colour at all.
    assert (cell(s, 0, 3) == blue).all() and (cell(s, 0, 4) == red).all()
    assert np.ptp(cell(s, 0, 5)) == 0 and 100 < cell(s, 0, 5)[0] < 150
    darkness = [-cell(w, 6, column).sum() for column in (4, 3, 5, 6)]
    assert darkness == sorted(darkness) and len(set(darkness)) == 4


def test_an_even_map_is_not_all_in_the_strongest_colour(faces):
    zero = np.zeros((7, 7))
    even = pair_picture(*faces, zero, np.full((7, 7), 1 / 49))[:, 348:]
    peak = zero.copy()
    peak[0, 0] = 1
    assert (
        cell(even, 0, 0).sum() > 1.5 * cell(pair_picture(*faces, zero, peak)[:, 348:], 0, 0).sum()
    )


@pytest.mark.parametrize("shape", [(1, 1), (5, 3), (10, 9)])
def test_any_grid_covers_the_square(faces, shape):
    similarity = np.linspace(-1, 1, shape[0] * shape[1]).reshape(shape)
    picture = pair_picture(*faces, similarity, np.full(shape, 1 / similarity.size))
    colours = {tuple(colour) for colour in picture[:, 232:344].reshape(-1, 3)}
    assert len(colours) == similarity.size
    assert picture.shape == (112, 460, 3)


def test_a_caption_is_above_and_never_wider(faces):
    maps = np.zeros((7, 7)), np.full((7, 7), 1 / 49)
    plain = pair_picture(*faces, *maps)
    for caption in ("same, 0.71", "long " * 100, "$x$ \n <b>"):
        picture = pair_picture(*faces, *maps, caption)
        assert (picture.dtype, picture.shape) == (np.uint8, (126, 460, 3))
        np.testing.assert_array_equal(picture[14:], plain)
        assert (picture[:14] < 100).any() and (picture[0] == 216).all()


def test_a_network_that_gives_no_numbers_still_gives_a_picture(faces):
    nothing = np.full((7, 7), np.nan)
    picture = pair_picture(*faces, nothing, nothing)
    assert len(np.unique(picture[:, 232:344])) == 1


def test_pictures_below_each_other(random):
    high = random.integers(256, size=(5, 8, 3), dtype=np.uint8)
    wide = random.integers(256, size=(3, 9, 3), dtype=np.uint8)
    tiled = tile([high, wide])
    assert (tiled.dtype, tiled.shape) == (np.uint8, (12, 9, 3))
    np.testing.assert_array_equal(tiled[:5, :8], high)
    np.testing.assert_array_equal(tiled[9:], wide)
    assert (tiled[5:9] == 216).all() and (tiled[:5, 8] == 216).all()
    np.testing.assert_array_equal(tile([high]), high)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"face_b": np.zeros((56, 56, 3), np.uint8)}, r"one shape \(H, W, 3\)"),
        ({"face_a": np.zeros((112, 112, 3), np.float32)}, r"`face_a` to be uint8.*float32"),
        ({"similarity_map": np.zeros((7, 6))}, r"one shape \(h, w\).*\(7, 6\)"),
        (dict.fromkeys(("similarity_map", "attention_map"), np.zeros(7)), r"\(h, w\).*\(7,\)"),
        (dict.fromkeys(("similarity_map", "attention_map"), np.zeros((0, 7))), r"\(0, 7\)"),
    ],
)
def test_what_is_no_pair_is_refused(faces, change, sentence):
    given = {
        "face_a": faces[0],
        "face_b": faces[1],
        "similarity_map": np.zeros((7, 7)),
        "attention_map": np.zeros((7, 7)),
    }
    with pytest.raises(ValueError, match=sentence):
        pair_picture(**given | change)


def test_no_pictures_are_refused():
    with pytest.raises(ValueError, match="at least one"):
        tile([])


def test_nothing_of_the_rooms_above_is_imported():
    program = """
import sys
import xcos_tf.training.pictures
above = [name for name in sys.modules if name.startswith(("xcos_tf.explain", "matplotlib.pyplot"))]
assert not above, above
"""
    subprocess.run([sys.executable, "-c", program], check=True)
