"""One map in a figure: its cells in colour, their values and a colour bar."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colorbar import Colorbar
from matplotlib.colors import Normalize
from matplotlib.ticker import FuncFormatter, MaxNLocator

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.explain.notation import number, one_line

INK, GREY = "#1a1a1a", "#666666"
_SMALLEST_PRINT = 3.0  # points; numbers that would be smaller are left out


@dataclass(frozen=True)
class MapPanel:
    """A map and how to colour it; `decimals` are printed in its cells."""

    values: np.ndarray
    title: str
    meaning: str
    colours: str
    norm: Normalize
    decimals: int


def draw_map(axes: Axes, drawn: MapPanel, side: float, values: bool = True) -> None:
    """Fill square axes, `side` inches wide, with a map, and put a colour bar beside it.

    With `values` the cells hold them, unless the grid is so fine that nobody could read them.
    """
    height, width = drawn.values.shape
    colours = ScalarMappable(drawn.norm, drawn.colours)
    axes.pcolormesh(
        np.linspace(0, FACE_SIZE, width + 1),
        np.linspace(0, FACE_SIZE, height + 1),
        drawn.values,
        norm=drawn.norm,
        cmap=drawn.colours,
        edgecolors="white",
        linewidth=0.4,
    )
    axes.set(xlim=(0, FACE_SIZE), ylim=(FACE_SIZE, 0))
    if values:

        def ink(value: float) -> str:
            red, green, blue, _ = colours.to_rgba(value)
            dark = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 < 0.2
            return "white" if dark else INK

        print_values(axes, drawn.values, drawn.decimals, side, ink)
    axes.set_title(f"{drawn.title}: {one_line(drawn.meaning)}", fontsize=9, loc="left", pad=4)
    draw_colour_bar(axes, colours)


def draw_colour_bar(axes: Axes, colours: ScalarMappable) -> None:
    """Put a colour bar on the right of square axes."""
    bar_axes = axes.inset_axes((1.03, 0, 0.045, 1))
    style_colour_bar(axes.figure.colorbar(colours, cax=bar_axes))


def style_colour_bar(bar: Colorbar) -> None:
    """Give a colour bar a thin frame, round values and small print."""
    bar.outline.set(linewidth=0.5, edgecolor=GREY)
    bar.locator = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10])
    bar.formatter = FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−"))
    bar.update_ticks()
    bar.ax.tick_params(labelsize=6.5, length=2, width=0.5, pad=1.5, colors=INK)


def print_values(
    axes: Axes, values: np.ndarray, decimals: int, side: float, ink: Callable[[float], str]
) -> None:
    """Print a map's values in its cells, unless they would be too small to be read.

    Args:
        axes: square, over an aligned face, `side` inches wide.
        values: float (h, w).
        decimals: of each.
        side: of the axes.
        ink: from a value to the colour of its print.
    """
    height, width = values.shape
    longest = 4 + decimals
    size = min(7.5, 72 * side / width / longest / 0.56, 72 * side / height / 1.8)
    if size < _SMALLEST_PRINT:
        return
    for (row, column), value in np.ndenumerate(values):
        axes.text(
            (column + 0.5) * FACE_SIZE / width,
            (row + 0.5) * FACE_SIZE / height,
            number(value, decimals).replace("0.", ".", 1),
            fontsize=size,
            ha="center",
            va="center_baseline",
            color=ink(value),
        )
