"""One picture of a verdict: the two faces, S, W and S·W, in the manner of the paper's Fig. 3.

Where the preset can tell, what covering each cell would do is drawn over the faces below.
"""

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from xcos_tf.drawing import default_look
from xcos_tf.explain.canvas import fitted, headline, new_figure, square, write
from xcos_tf.explain.panels import (
    GREY,
    draw_colour_bar,
    draw_face,
    draw_map,
    draw_overlay,
    map_panels,
    name_above,
    overlay_colours,
)
from xcos_tf.explain.words import as_number, as_sentence, check_maps
from xcos_tf.verifier import Verification

# Inches. Rows of three squares of one size, so that a cell of a map lies under the part of
# the face it is about.
_SIDE, _LEFT, _BOTTOM = 2.05, 0.2, 0.18
_STEP_X, _STEP_Y = 2.72, 2.42
_WIDTH, _HEIGHT = 8.2, 5.4


@default_look()
def draw_verification(result: Verification, title_a: str, title_b: str) -> Figure:
    """Draw the two faces of an xCos preset's verdict, and why they count as one person, or not.

    S is blue where the faces are similar and red where they are not, on a fixed scale of −1 to 1;
    W goes from white at 0; S·W is blue where a cell speaks for the same person and red where it
    speaks against. The colour-blind can distinguish the colours. The cells hold the values
    to two (S) or three decimals, unless the grid is so fine that nobody could read them. The
    verdict's `drops`, if it has any, are drawn over the faces, in a third row; the titles, such as
    file names, above them.

    Raises:
        ValueError: the maps' shapes differ or are not (h, w), or a value is not finite.
    """
    similarity, attention = check_maps(result.similarity_map, result.attention_map)
    faces, drops = (result.template_a.face, result.template_b.face), result.drops
    rows = 2 if drops is None else 3
    height = _HEIGHT + (rows - 2) * _STEP_Y
    figure = new_figure(_WIDTH, height)
    text, colour = headline("xCos", result.score, result.threshold, result.same)
    top = height - 0.14
    write(figure, _LEFT, top, f"{text} threshold", fontsize=14, weight="bold", color=colour)
    for column, (face, title) in enumerate(zip(faces, (title_a, title_b), strict=True)):
        axes = square(figure, *_place(rows - 1, column), _SIDE)
        draw_face(axes, face, similarity.shape)
        name_above(axes, title, _STEP_X / _SIDE, fontsize=9, pad=4, weight="bold")
    _draw_caption(figure, rows - 1, result.sentence, result.score)
    for column, drawn in enumerate(map_panels(similarity, attention, result.attention)):
        draw_map(square(figure, *_place(rows - 2, column), _SIDE), drawn, _SIDE)
    if drops is not None:
        _draw_drops(figure, faces, drops)
    return figure


def _place(row: int, column: int) -> tuple[float, float]:
    """Return the left and the bottom of a square; row 0 is at the bottom."""
    return _LEFT + column * _STEP_X, _BOTTOM + row * _STEP_Y


def _draw_drops(figure: Figure, faces, drops) -> None:
    """Fill the bottom row: on each face, what covering a cell would do."""
    reach = max(*(np.abs(values).max() for values in drops), 1e-6)
    tint = overlay_colours(signed=True)
    for column, (face, values, letter) in enumerate(zip(faces, drops, "AB", strict=True)):
        axes = square(figure, *_place(0, column), _SIDE)
        draw_overlay(axes, face, values / reach, signed=True)
        axes.set_title(f"{letter}: a cell covered", fontsize=9, loc="left", pad=4)
        draw_colour_bar(axes, ScalarMappable(Normalize(-reach, reach), tint.cmap))
    legend = (
        "On the faces: how much xCos would drop if this\n"
        "cell alone were covered, as a model guesses;\n"
        "blue speaks for the same person, red against.\n"
        "Cells do not add up to xCos."
    )
    left, bottom = _place(0, 2)
    write(figure, left, bottom + _SIDE, legend, fontsize=7, color=GREY, linespacing=1.5)


def _draw_caption(figure: Figure, row: int, sentence: str, score: float) -> None:
    """Fill the place beside the faces: the sentence on top, how to read the maps at the bottom."""
    left, bottom = _place(row, 2)
    if sentence:
        size, text = fitted(as_sentence(sentence), (9.5, 33, 7), (8, 40, 8), (6.5, 49, 10))
        write(figure, left, bottom + _SIDE, text, fontsize=size, linespacing=1.35)
    legend = (
        "S: cosine of the features in a cell; blue = similar\n"
        "W: how much the cell counts\n"
        "S·W: blue speaks for the same person, red against\n"
        f"xCos = sum of S·W = {as_number(score, 3)}"
    )
    write(figure, left, bottom, legend, fontsize=7, color=GREY, va="bottom", linespacing=1.5)
