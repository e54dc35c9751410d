"""One pair, explained by several methods, a row each, in the manner of the paper's Fig. 4."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xcos_tf.drawing import default_look
from xcos_tf.explain.canvas import fitted, headline, new_figure, square, write
from xcos_tf.explain.comparison import ExplainedScore, distinct_scores
from xcos_tf.explain.methods.registry import METHODS
from xcos_tf.explain.panels import (
    GREY,
    INK,
    PAPER,
    Colours,
    draw_colour_bar,
    draw_face,
    draw_map,
    draw_overlay,
    map_panels,
    name_above,
    overlay_colours,
)
from xcos_tf.explain.words import as_number, as_sentence, explanation_sentence, short_title
from xcos_tf.models.preset_threshold import PLAIN_COSINE

# Inches. A column of text and three of squares of one size, so that a cell of a map lies under the
# part of the face it is about.
_SIDE, _LEFT, _TEXT = 1.75, 0.15, 1.95
_STEP_X, _STEP_Y = 2.2, 2.08
_WIDTH = _LEFT + _TEXT + 3 * _STEP_X
_LINE, _BOTTOM = 0.23, 0.12
_NAME = {"fontsize": 9, "pad": 4}
_AFTER_BAR = 0.1  # to the text on the right of a colour bar
# Of the text beside the squares: points, letters a line, and lines.
_PRINT, _LETTERS, _LINES, _SMALLER = 7.5, 32, 11, (6.5, 38, 13)
_HOW_TO_READ = (
    "Every map lies on the aligned face; left and right are the picture’s.\n\n"
    "{For} speaks for the same person, {against} against, where a row does not say otherwise. In "
    "S, {for} cells are similar.\n\n"
    "Maps on faces are scaled so that the strongest place is 1 or −1; the face is clear at 0."
)


@default_look()
def draw_comparison(
    face_a: np.ndarray,
    face_b: np.ndarray,
    rows: Sequence[ExplainedScore],
    title_a: str = "",
    title_b: str = "",
    values: bool = False,
    colours: Colours = PAPER,
) -> Figure:
    """Draw two faces and, in a row each, what methods make of them.

    xCos shows S, W and S·W, with colours as in `draw_verification`; any other method its map on
    each face. Above stands each score that is explained with its verdict, beside each row the
    seconds it took and, where there is one map of the pair, what it says in words.

    Args:
        face_a, face_b: uint8 (H, W, 3) RGB, the aligned faces.
        rows: the explanations, at least one.
        title_a, title_b: what to write above the faces, such as file names.
        values: whether to print values in cells that are large enough.
        colours: of the maps.
    """
    scores = distinct_scores(rows)
    height = 0.1 + _LINE * len(scores) + _STEP_Y * (1 + len(rows)) + _BOTTOM
    figure = new_figure(_WIDTH, height)
    for line, row in enumerate(scores):
        _draw_headline(figure, height - 0.12 - _LINE * line, row)
    bottom = _BOTTOM + _STEP_Y * len(rows)
    faces, titles = (face_a, face_b), (title_a, title_b)
    for column, (letter, face, title) in enumerate(zip("AB", faces, titles, strict=True)):
        axes = _panel(figure, column, bottom)
        draw_face(axes, face)
        name = f"{letter}: {title}" if title else letter
        name_above(axes, name, _STEP_X / _SIDE, **_NAME, weight="bold")
    how = _HOW_TO_READ.format(
        **{"for": colours.name_for, "For": colours.name_for.capitalize()},
        against=colours.name_against,
    )
    _draw_text(figure, _left(2), bottom + _SIDE, how)
    for row in rows:
        bottom -= _STEP_Y
        _draw_facts(figure, bottom, row)
        if row.explanation.similarity_map is None:
            _draw_overlays(figure, bottom, faces, row, values, colours)
        else:
            maps = row.explanation.similarity_map, row.explanation.attention_map
            for column, panel in enumerate(map_panels(*maps, row.score, colours)):
                draw_map(_panel(figure, column, bottom), panel, _SIDE, values)
    return figure


def score_name(score: str) -> str:
    """Return what a score is called in text, such as "xCos (learned attention)"."""
    return "cosine" if score == PLAIN_COSINE else f"xCos ({score} attention)"


def _draw_headline(figure: Figure, top: float, row: ExplainedScore) -> None:
    name, score = score_name(row.score), row.explanation.score
    if row.threshold is None:
        text, colour = f"{name} {as_number(score, 2)}", INK
        basis = "no threshold"
    else:
        text, colour = headline(name, score, row.threshold, row.same)
        basis = "threshold at FMR 1e-3"
    text = f"{text} · {short_title(row.preset, 36)}, {basis}"
    write(figure, _LEFT, top, text, fontsize=10, weight="bold", color=colour)


def _left(column: int) -> float:
    return _LEFT + _TEXT + column * _STEP_X


def _panel(figure: Figure, column: int, bottom: float) -> Axes:
    return square(figure, _left(column), bottom, _SIDE)


def _draw_facts(figure: Figure, bottom: float, row: ExplainedScore) -> None:
    """Write beside a row which method it is, of which score, what it took and what it says."""
    explanation = row.explanation
    title = METHODS[explanation.method].title
    top = bottom + _SIDE
    write(figure, _LEFT, top, title, fontsize=10, weight="bold")
    seconds = explanation.seconds
    took = f"{seconds:.2g}" if seconds < 10 else f"{seconds:,.0f}"
    facts = f"of {short_title(row.preset, 30)}\n{took} s\n{explanation.forward:,} faces forward"
    if explanation.backward:
        facts += f", {explanation.backward:,} backward"
    write(figure, _LEFT, top - 0.2, facts, fontsize=_PRINT, color=GREY, linespacing=1.3)
    _draw_text(figure, _LEFT, top - 0.68, explanation_sentence(explanation), lines=7)


def _draw_text(figure: Figure, left: float, top: float, text: str, lines: int = _LINES) -> None:
    """Write beside a row of squares, in smaller print where there is much to say."""
    size, letters, most = _SMALLER
    sizes = (_PRINT, _LETTERS, lines), (size, letters, most - _LINES + lines)
    size, text = fitted(text, *sizes)
    write(figure, left, top, text, fontsize=size, linespacing=1.3)


def _draw_overlays(
    figure: Figure, bottom: float, faces, row: ExplainedScore, values: bool, colours: Colours
) -> None:
    explanation = row.explanation
    maps = explanation.map_a, explanation.map_b
    for column, (face, values_of_face, letter) in enumerate(zip(faces, maps, "AB", strict=True)):
        axes = _panel(figure, column, bottom)
        draw_overlay(
            axes, face, values_of_face, explanation.signed, _SIDE if values else None, colours
        )
        kind = "one map, on" if explanation.per_pair else "map of"
        nothing = "" if values_of_face.any() else ": 0 everywhere"
        axes.set_title(f"{kind} {letter}{nothing}", loc="left", color=INK, **_NAME)
    draw_colour_bar(axes, overlay_colours(explanation.signed, colours))
    meaning = METHODS[explanation.method].meaning
    _draw_text(figure, _left(2) + _AFTER_BAR, bottom + _SIDE, as_sentence(meaning))
