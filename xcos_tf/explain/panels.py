"""What fills one square of a figure: a face, a map with its colour bar, or a map over a face.

Readers who are colour-blind can tell both sets of colours apart.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize, to_rgb
from matplotlib.patheffects import withStroke
from matplotlib.ticker import FuncFormatter, MaxNLocator
from matplotlib.transforms import Bbox, TransformedBbox

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.errors import XcosError
from xcos_tf.explain.words import as_number, short_title

INK, GREY = "#1a1a1a", "#666666"  # of texts
BLUE, RED = "#2166ac", "#b2182b"  # of maps: for the same person, and against
_SMALLEST_PRINT = 3.0  # points; numbers that would be smaller are left out
_STRONGEST = 0.85  # opacity; a little of the face stays to be seen
_STEPS = 256
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_DARKEST = 70  # grey of black, so that a tint can be seen on it too


@dataclass(frozen=True)
class Colours:
    """How maps are coloured.

    Attributes:
        signed: matplotlib's name of the colour map from dissimilar to similar.
        weight: that from no weight to the greatest.
        for_same, against: what is laid over a face where it speaks for the same person, and
            against, as matplotlib's colours.
        name_for, name_against: what these are called.
    """

    signed: str
    weight: str
    for_same: str
    against: str
    name_for: str
    name_against: str


COLOURS = {
    # Blue = similar, as in the paper's figures.
    "paper": Colours("RdBu", "Purples", BLUE, RED, "blue", "red"),
    # Ever lighter with the value, so that it survives a print in grey.
    "cividis": Colours("cividis", "cividis", "#fee838", "#00224e", "yellow", "dark blue"),
}


def colours_named(name: str) -> Colours:
    """Return a set of colours, or raise an XcosError if there is none of this name."""
    if name not in COLOURS:
        raise XcosError(f"there are no colours {name!r}; use one of {', '.join(COLOURS)}")
    return COLOURS[name]


PAPER = COLOURS["paper"]


@dataclass(frozen=True)
class MapPanel:
    """A map and how to colour it; `decimals` are printed in its cells."""

    values: np.ndarray
    title: str
    meaning: str
    colours: str
    norm: Normalize
    decimals: int


def map_panels(
    similarity: np.ndarray, attention: np.ndarray, name: str = "", colours: Colours = PAPER
) -> list[MapPanel]:
    """Return S, W and S·W with their colours; see `draw_verification`.

    `name` says which attention it is.
    """
    product = similarity * attention
    # At least twice the even share, so that an even map is not all in the strongest colour.
    most = max(attention.max(), 2 / attention.size)
    reach = max(np.abs(product).max(), 1e-6)
    weight = f"weight, {name} attention" if name else "weight"
    counted = Normalize(min(attention.min(), 0), most)
    return [
        MapPanel(similarity, "S", "similarity", colours.signed, Normalize(-1, 1), 2),
        MapPanel(attention, "W", weight, colours.weight, counted, 3),
        MapPanel(product, "S·W", "contribution", colours.signed, Normalize(-reach, reach), 3),
    ]


def draw_face(axes: Axes, face: np.ndarray, grid: tuple[int, int] = (1, 1)) -> None:
    """Fill square axes with a face, uint8 (H, W, 3) RGB, and the lines of a grid (h, w)."""
    axes.imshow(face, extent=(0, FACE_SIZE, FACE_SIZE, 0), interpolation="bilinear")
    height, width = grid
    for draw, count in ((axes.axvline, width), (axes.axhline, height)):
        for place in np.arange(1, count) * FACE_SIZE / count:
            draw(place, color="white", linewidth=0.5, alpha=0.4)


def name_above(axes: Axes, name: str, room: float, longest: int = 27, **style) -> None:
    """Write any name above axes, the middle left out if it has more than `longest` letters.

    `room` is from the left of these axes to the next ones, in widths of the axes.
    """
    text = axes.set_title(
        short_title(name, longest), loc="left", parse_math=False, **({"color": INK} | style)
    )
    # Wide letters, of which even few are too long, are cut off before the next panel.
    box = Bbox([[0, 0], [0.97 * room, 2]])
    text.set(clip_on=True, clip_box=TransformedBbox(box, axes.transAxes))


def draw_map(axes: Axes, drawn: MapPanel, side: float, values: bool = True) -> None:
    """Fill square axes, `side` inches wide, with a map, and put a colour bar beside it.

    With `values` the cells hold them, unless the grid is so fine that nobody could read them.
    """
    colours = ScalarMappable(drawn.norm, drawn.colours)
    draw_cells(axes, drawn.values, drawn, linewidth=0.4)
    if values:

        def ink(value: float) -> str:
            red, green, blue, _ = colours.to_rgba(value)
            dark = 0.2126 * red**2.2 + 0.7152 * green**2.2 + 0.0722 * blue**2.2 < 0.2
            return "white" if dark else INK

        print_values(axes, drawn.values, drawn.decimals, side, ink)
    axes.set_title(f"{drawn.title}: {short_title(drawn.meaning)}", fontsize=9, loc="left", pad=4)
    draw_colour_bar(axes, colours)


def draw_cells(axes: Axes, values: np.ndarray, scale: MapPanel, linewidth: float) -> None:
    """Fill square axes with a map's cells, float (h, w), in the colours of a panel."""
    axes.pcolormesh(
        *(np.linspace(0, FACE_SIZE, size + 1) for size in values.shape[::-1]),
        values,
        norm=scale.norm,
        cmap=scale.colours,
        edgecolors="white",
        linewidth=linewidth,
    )
    axes.set(xlim=(0, FACE_SIZE), ylim=(FACE_SIZE, 0))


def draw_colour_bar(axes: Axes, colours: ScalarMappable) -> None:
    """Put a colour bar on the right of square axes."""
    fill_colour_bar(axes.inset_axes((1.03, 0, 0.045, 1)), colours)


def fill_colour_bar(axes: Axes, colours: ScalarMappable, orientation: str = "vertical") -> None:
    """Make axes a colour bar with a thin frame, round values and small print."""
    bar = axes.figure.colorbar(colours, cax=axes, orientation=orientation)
    bar.outline.set(linewidth=0.5, edgecolor=GREY)
    bar.locator = MaxNLocator(5, steps=[1, 2, 2.5, 5, 10])
    bar.formatter = FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−"))
    bar.update_ticks()
    bar.ax.tick_params(labelsize=6.5, length=2, width=0.5, pad=1.5, colors=INK)


def print_values(
    axes: Axes, values: np.ndarray, decimals: int, side: float, ink: Callable[[float], str]
) -> None:
    """Print a map's values in its cells, unless they would be too small to be read.

    The axes are `side` inches wide; `ink` gives the colour of a value's print.
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
            as_number(value, decimals).replace("0.", ".", 1),
            fontsize=size,
            ha="center",
            va="center_baseline",
            color=ink(value),
        )


def overlay_colours(signed: bool, colours: Colours = PAPER) -> ScalarMappable:
    """Return the colours of a map from 0, or −1 if `signed`, to 1: clear at 0, then ever denser."""
    opacity = np.linspace(0, _STRONGEST, _STEPS)
    for_same, against = (
        np.column_stack([np.tile(to_rgb(colour), (_STEPS, 1)), opacity])
        for colour in (colours.for_same, colours.against)
    )
    table = np.concatenate([against[:0:-1], for_same]) if signed else for_same
    return ScalarMappable(Normalize(-1 if signed else 0, 1), ListedColormap(table))


def draw_overlay(
    axes: Axes,
    face: np.ndarray,
    values: np.ndarray,
    signed: bool,
    print_side: float | None = None,
    colours: Colours = PAPER,
) -> None:
    """Fill square axes with a face in grey and a map over it, its cells as they are.

    Args:
        axes: where.
        face: uint8 (H, W, 3) RGB, aligned. Grey, because a face has red of its own.
        values: float (h, w), in [−1, 1] if `signed`, else in [0, 1], over the whole face.
        signed, colours: see `overlay_colours`.
        print_side: of the axes in inches, if the values are to be printed in the cells.
    """
    tint = overlay_colours(signed, colours)
    whole = {"extent": (0, FACE_SIZE, FACE_SIZE, 0)}
    grey = _DARKEST + np.asarray(face, np.float64) @ _LUMA * (255 - _DARKEST) / 255
    axes.imshow(grey, cmap="gray", vmin=0, vmax=255, interpolation="bilinear", **whole)
    axes.imshow(values, cmap=tint.cmap, norm=tint.norm, interpolation="nearest", **whole)
    if print_side is not None:
        print_values(axes, values, 2, print_side, lambda _: INK)
        for text in axes.texts:
            text.set_path_effects([withStroke(linewidth=1.2, foreground="white")])
