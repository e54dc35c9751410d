"""One of the four groups of the paper's Fig. 3: faces, S, W and scores of pairs judged alike."""

from pathlib import PurePosixPath

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure

from xcos_tf.drawing import default_look
from xcos_tf.explain.canvas import new_figure, place, square, write
from xcos_tf.explain.gallery import Exhibit
from xcos_tf.explain.panels import (
    BLUE,
    GREY,
    INK,
    RED,
    draw_cells,
    draw_face,
    fill_colour_bar,
    map_panels,
    name_above,
)
from xcos_tf.explain.words import as_number, as_sentence, enough_decimals

# Inches. Two blocks of pairs side by side, four squares a pair.
_SIDE, _LEFT, _STEP_X, _STEP_Y, _BLOCK = 0.95, 0.15, 1.0, 1.27, 4.25
_WIDTH = 2 * _LEFT + _BLOCK + 3 * _STEP_X + _SIDE
_TOP, _BOTTOM = 0.95, 0.22
_NAME = {"fontsize": 6.5, "pad": 2.5}


@default_look()
def draw_group(exhibit: Exhibit, score: str, threshold: float, subtitle: str = "") -> Figure:
    """Draw the pairs that a score is most sure of on the left, and least on the right.

    S and W have one scale each in the whole figure, so that pairs can be compared.

    Args:
        exhibit: with at least one pair.
        score: its name, such as "xCos".
        threshold: what scores were held against.
        subtitle: what was measured.
    """
    group, blocks = exhibit.group, (exhibit.most, exhibit.least)
    lines = max(len(cases) for cases in blocks)
    height = _TOP + lines * _STEP_Y + _BOTTOM
    as_in_paper = group.title.lower().replace("accept", "positive").replace("reject", "negative")
    title = f"{group.title} ({as_in_paper}): {group.count:,}"
    colour = BLUE if group.right else RED
    subtitle = f"{as_sentence(group.meaning)} {subtitle}"
    figure = new_figure(_WIDTH, height, title, subtitle, _LEFT, color=colour)
    # S and W of all pairs one below the other, for their colours.
    maps = [
        np.concatenate([getattr(case, name) for case in (*exhibit.most, *exhibit.least)])
        for name in ("similarity_map", "attention_map")
    ]
    scales = map_panels(*maps)[:2]
    for block, (cases, name) in enumerate(zip(blocks, ("Most sure", "Least sure"), strict=True)):
        left = _LEFT + block * _BLOCK
        if cases:
            write(figure, left, height - 0.6, name, fontsize=9, weight="bold")
        for line, case in enumerate(cases):
            bottom = height - _TOP - line * _STEP_Y - _SIDE
            _draw_case(figure, left, bottom, case, scales, score, threshold)
    for column, panel in enumerate(scales):
        left = _LEFT + (0.4 + 2.4 * column)
        write(figure, left - 0.02, 0.32, panel.title, fontsize=7.5, weight="bold", ha="right")
        axes = place(figure, left + 0.05, 0.23, 1.6, 0.09)
        fill_colour_bar(axes, ScalarMappable(panel.norm, panel.colours), "horizontal")
    said = "S: blue = similar.  W: how much a cell counts."
    write(figure, _WIDTH - _LEFT, 0.32, said, fontsize=7.5, color=GREY, ha="right")
    return figure


def _draw_case(figure: Figure, left: float, bottom: float, case, scales, score, threshold) -> None:
    names = case.names if case.frames is None else case.frames[:2]
    for column, (face, name) in enumerate(zip(case.faces, names, strict=True)):
        axes = square(figure, left + column * _STEP_X, bottom, _SIDE)
        draw_face(axes, face)
        name_above(axes, PurePosixPath(name).stem, _STEP_X / _SIDE, 16, **_NAME)
    shown, limit = enough_decimals(case.score, threshold)
    verdict = f"{score} {shown} {'≥' if case.score >= threshold else '<'} {limit}"
    if case.frames is not None:
        verdict += f" (these frames {as_number(case.frames[2], 2)})"
    maps = (case.similarity_map, case.attention_map)
    for column, (values, scale) in enumerate(zip(maps, scales, strict=True)):
        axes = square(figure, left + (2 + column) * _STEP_X, bottom, _SIDE)
        draw_cells(axes, values, scale, linewidth=0.25)
        if not column:
            axes.set_title(verdict, loc="left", weight="bold", color=INK, **_NAME)
