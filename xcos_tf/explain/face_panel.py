"""One face in a figure, and its name."""

import numpy as np
from matplotlib.axes import Axes
from matplotlib.transforms import Bbox, TransformedBbox

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.explain.map_panel import INK
from xcos_tf.explain.notation import one_line


def draw_face(axes: Axes, face: np.ndarray, grid: tuple[int, int] = (1, 1)) -> None:
    """Fill square axes with a face, uint8 (H, W, 3) RGB, and the lines of a grid (h, w)."""
    axes.imshow(face, extent=(0, FACE_SIZE, FACE_SIZE, 0), interpolation="bilinear")
    height, width = grid
    lines = {"color": "white", "linewidth": 0.5, "alpha": 0.4}
    for x in np.arange(1, width) * FACE_SIZE / width:
        axes.axvline(x, **lines)
    for y in np.arange(1, height) * FACE_SIZE / height:
        axes.axhline(y, **lines)


def name_above(axes: Axes, name: str, room: float, longest: int = 27, **style) -> None:
    """Write any name above axes, the middle of a long one left out.

    Args:
        axes: of the face.
        name: such as that of a file.
        room: from the left of these axes to the next ones, in widths of the axes.
        longest: how many letters to show.
        style: of the text.
    """
    text = axes.set_title(
        one_line(name, longest), loc="left", parse_math=False, **({"color": INK} | style)
    )
    # Wide letters, of which even few are too long, are cut off before the next panel.
    box = Bbox([[0, 0], [0.97 * room, 2]])
    text.set(clip_on=True, clip_box=TransformedBbox(box, axes.transAxes))
