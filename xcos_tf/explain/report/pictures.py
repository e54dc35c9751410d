"""Faces, figures and maps as parts of the page, so that nothing has to be fetched."""

import base64
import io
from collections.abc import Iterator

import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from PIL import Image

from xcos_tf.drawing import default_look
from xcos_tf.explain.panels import MapPanel, map_panels
from xcos_tf.explain.regions import region_map
from xcos_tf.explain.words import as_number

_JPEG_QUALITY = 88
_STOPS = 9


def cells(panel: MapPanel) -> Iterator[tuple[int, int, str, str]]:
    """Yield the column, the row, the colour as in CSS and the words of each cell of a map."""
    colours = ScalarMappable(panel.norm, panel.colours)
    parts = region_map(*panel.values.shape)
    for (y, x), value in np.ndenumerate(panel.values):
        text = f"{parts[y, x]}: {as_number(value, panel.decimals)}"
        yield x, y, to_hex(colours.to_rgba(value)), text


def scales() -> dict[str, str]:
    """Return the colour scales of S and W as gradients in CSS, from their low to their high end."""
    even = np.ones((1, 1))
    return {panel.title: _gradient(panel) for panel in map_panels(even, even)[:2]}


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


def _gradient(panel: MapPanel) -> str:
    colours = ScalarMappable(panel.norm, panel.colours)
    stops = np.linspace(panel.norm.vmin, panel.norm.vmax, _STOPS)
    return f"linear-gradient(to right, {', '.join(to_hex(colours.to_rgba(x)) for x in stops)})"


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
