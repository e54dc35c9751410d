"""Pictures as data URIs: part of the page, so that nothing has to be fetched."""

import base64
import io

import numpy as np
from matplotlib.figure import Figure
from PIL import Image

from xcos_tf.drawing import default_look

_JPEG_QUALITY = 88


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


def _uri(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
