"""Faces, figures and maps as parts of the page, so that nothing has to be fetched."""

import base64
import io
from dataclasses import dataclass

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from xcos_tf.drawing import default_look
from xcos_tf.explain.notation import as_number
from xcos_tf.explain.panels import MapPanel, map_panels
from xcos_tf.explain.regions import region_map

_JPEG_QUALITY = 88
_STOPS = 9


@dataclass(frozen=True)
class Cell:
    """A square of a map: its place, its colour as in CSS, and what it says."""

    x: int
    y: int
    colour: str
    text: str


@dataclass(frozen=True)
class DrawnMap:
    """A map ready to be drawn.

    Attributes:
        symbol: "S" or "W".
        meaning: of the symbol.
        extent: of its values, as text.
        width, height: in cells.
        cells: from top left to bottom right.
    """

    symbol: str
    meaning: str
    extent: str
    width: int
    height: int
    cells: list[Cell]


def draw_maps(similarity_map: np.ndarray, attention_map: np.ndarray) -> tuple[DrawnMap, DrawnMap]:
    """Return S and W as cells, each named by the part of the face in it."""
    similarity, attention, _ = map_panels(similarity_map, attention_map)
    return tuple(_draw(panel) for panel in (similarity, attention))


def scales() -> dict[str, str]:
    """Return the colour scales of S and W as gradients in CSS, from their low to their high end."""
    even = np.full((1, 1), 1.0)
    panels = dict(zip("SW", map_panels(even, even), strict=False))
    return {symbol: _gradient(panel) for symbol, panel in panels.items()}


def figure_uri(figure: Figure) -> str:
    """Return a figure as an SVG; the same figure gives the same text. Letters become shapes."""
    stream = io.BytesIO()
    with default_look({"svg.fonttype": "path", "svg.hashsalt": "xcos"}):
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return _uri("image/svg+xml", stream.getvalue())


def face_uri(face: np.ndarray) -> str:
    """Return a face, uint8 (H, W, 3) RGB, as a JPEG."""
    stream = io.BytesIO()
    Image.fromarray(face).save(stream, "JPEG", quality=_JPEG_QUALITY, optimize=True)
    return _uri("image/jpeg", stream.getvalue())


def _draw(panel: MapPanel) -> DrawnMap:
    height, width = panel.values.shape
    colours = ScalarMappable(panel.norm, panel.colours)
    parts = region_map(height, width)
    cells = [
        Cell(
            x,
            y,
            to_hex(colours.to_rgba(value)),
            f"{parts[y, x]}: {as_number(value, panel.decimals)}",
        )
        for (y, x), value in np.ndenumerate(panel.values)
    ]
    low, high = (as_number(x, panel.decimals) for x in (panel.values.min(), panel.values.max()))
    return DrawnMap(panel.title, panel.meaning, f"{low} to {high}", width, height, cells)


def _gradient(panel: MapPanel) -> str:
    colours = ScalarMappable(panel.norm, panel.colours)
    stops = np.linspace(panel.norm.vmin, panel.norm.vmax, _STOPS)
    return f"linear-gradient(to right, {', '.join(to_hex(colours.to_rgba(x)) for x in stops)})"


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
