"""Figures laid out in inches, from the left and from the bottom, below a headline; and saved.

Drawn with matplotlib's objects alone: no pyplot, no window, no global settings.
"""

import os
import textwrap
import warnings
from typing import BinaryIO

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text

from xcos_tf.drawing import default_look
from xcos_tf.errors import explained
from xcos_tf.explain.output_paths import check_figure_path
from xcos_tf.explain.panels import BLUE, GREY, INK, RED
from xcos_tf.explain.words import enough_decimals
from xcos_tf.files import replace_file

DPI = 200


def new_figure(
    width: float, height: float, title: str = "", subtitle: str = "", left: float = 0.15, **style
) -> Figure:
    """Return a white figure of this size; at the top a title in a style, and a subtitle below."""
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    style = {"fontsize": 12, "weight": "bold"} | style
    if title:
        write(figure, left, height - 0.12, title, **style)
    if subtitle:
        write(figure, left, height - 0.37, subtitle, fontsize=7.5, color=GREY)
    return figure


def headline(name: str, score: float, threshold: float, same: bool) -> tuple[str, str]:
    """Return a line such as "Same person · xCos 0.71 ≥ 0.35", and its colour."""
    shown_score, shown_threshold = enough_decimals(score, threshold)
    verdict, sign, colour = ("Same person", "≥", BLUE) if same else ("Different people", "<", RED)
    return f"{verdict} · {name} {shown_score} {sign} {shown_threshold}", colour


def place(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return new axes at this place, in inches."""
    box = np.array([[left, bottom], [width, height]]) / figure.get_size_inches()
    return figure.add_axes(tuple(box.ravel()))


def square(figure: Figure, left: float, bottom: float, side: float) -> Axes:
    """Return new square axes without ticks, in a thin frame."""
    axes = place(figure, left, bottom, side, side)
    axes.set(xticks=[], yticks=[])
    for spine in axes.spines.values():
        spine.set(linewidth=0.6, color=GREY)
    return axes


def write(figure: Figure, left: float, top: float, text: str, **style) -> Text:
    """Write below a line, `top` inches from the bottom; nothing is taken for a formula."""
    width, height = figure.get_size_inches()
    style = {"color": INK, "va": "top", "parse_math": False} | style
    return figure.text(left / width, top / height, text, **style)


def fitted(text: str, *sizes: tuple[float, int, int]) -> tuple[float, str]:
    """Return the first size of print in which a text fits, and its lines; the last cuts it off.

    Args:
        text: its paragraphs stay apart.
        sizes: of print, points, with the letters of a line and the most lines.
    """
    for size, letters, most in sizes:
        lines = [x for part in text.split("\n") for x in textwrap.wrap(part, letters) or [""]]
        if len(lines) <= most:
            return size, "\n".join(lines)
    return size, "\n".join([*lines[: most - 1], "…"])


def save_figure(figure: Figure, path: str | os.PathLike) -> None:
    """Write a figure as PNG, PDF or SVG, by its extension; whole or not at all.

    The same figure gives the same bytes. Text in a PDF keeps its outlines (TrueType), as journals
    ask; in an SVG it is turned into shapes, so that it looks the same everywhere.

    Raises:
        XcosError: as by `check_figure_path`, or the file cannot be written.
    """
    path = check_figure_path(path)
    file_format = path.suffix.lower()[1:]
    undated = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}.get(file_format)
    settings = {"pdf.fonttype": 42, "svg.fonttype": "path", "svg.hashsalt": "xcos"}

    def draw(stream: BinaryIO) -> None:
        with default_look(settings), warnings.catch_warnings():
            # A file's name may be in a script that the font lacks; boxes are drawn for it.
            warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
            figure.savefig(stream, format=file_format, dpi=DPI, metadata=undated)

    with explained(f"the picture cannot be written to {path}", "choose another place"):
        replace_file(path, draw)
