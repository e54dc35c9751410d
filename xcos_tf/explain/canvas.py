"""Figures laid out in inches, from the left and from the bottom, below a headline."""

import textwrap

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.text import Text

from xcos_tf.explain.colours import BLUE, GREY, INK, RED
from xcos_tf.explain.notation import enough_decimals
from xcos_tf.explain.panels import style_colour_bar

DPI = 200


def new_figure(
    width: float, height: float, title: str = "", subtitle: str = "", left: float = 0.15, **style
) -> Figure:
    """Return a white figure of this size with a title, `left` inches from its edge.

    Args:
        width, height: inches.
        title, subtitle: one below the other, at the top; nothing where empty.
        left: of both.
        style: of the title.
    """
    figure = Figure(figsize=(width, height), dpi=DPI, facecolor="white")
    style = {"fontsize": 12, "weight": "bold"} | style
    if title:
        write(figure, left, height - 0.12, title, **style)
    if subtitle:
        write(figure, left, height - 0.37, subtitle, fontsize=7.5, color=GREY)
    return figure


def headline(name: str, score: float, threshold: float, same: bool) -> tuple[str, str]:
    """Return a line such as "Same person · xCos 0.71 ≥ 0.35", and its colour.

    Args:
        name: of the score.
        score, threshold: as many decimals are shown as tell them apart.
        same: the verdict.
    """
    shown_score, shown_threshold = enough_decimals(score, threshold)
    verdict, sign, colour = ("Same person", "≥", BLUE) if same else ("Different people", "<", RED)
    return f"{verdict} · {name} {shown_score} {sign} {shown_threshold}", colour


def square(figure: Figure, left: float, bottom: float, side: float) -> Axes:
    """Return new square axes without ticks, in a thin frame."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((left / width, bottom / height, side / width, side / height))
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


def bar(figure: Figure, left: float, bottom: float, length: float, colours: ScalarMappable) -> None:
    """Draw a flat colour bar with its values below it."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((left / width, bottom / height, length / width, 0.09 / height))
    style_colour_bar(figure.colorbar(colours, cax=axes, orientation="horizontal"))
