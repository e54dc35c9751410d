"""A map laid over the face it is about."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import ListedColormap, Normalize, to_rgb
from matplotlib.patheffects import withStroke

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.explain.colours import PAPER, Colours
from xcos_tf.explain.map_panel import INK, print_values

_STRONGEST = 0.85  # opacity; a little of the face stays to be seen
_STEPS = 256
_LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601
_DARKEST = 70  # grey of black, so that a tint can be seen on it too


def overlay_colours(signed: bool, colours: Colours = PAPER) -> ScalarMappable:
    """Return the colours of a map: clear at 0, the denser the stronger, told apart by anyone.

    Args:
        signed: whether values reach from −1 to 1; otherwise from 0 to 1.
        colours: of what speaks for the same person, and against.
    """
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
