"""Figures laid out in inches, from the left and from the bottom."""

from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.figure import Figure
from matplotlib.text import Text

from xcos_tf.explain.map_panel import GREY, INK, style_colour_bar


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


def bar(figure: Figure, left: float, bottom: float, length: float, colours: ScalarMappable) -> None:
    """Draw a flat colour bar with its values below it."""
    width, height = figure.get_size_inches()
    axes = figure.add_axes((left / width, bottom / height, length / width, 0.09 / height))
    style_colour_bar(figure.colorbar(colours, cax=axes, orientation="horizontal"))
