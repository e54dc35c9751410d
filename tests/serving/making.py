"""What the tests of serving share: the model's name, and faces as files' bytes."""

import io

import numpy as np
from PIL import Image

NAME = "xcos-mobilefacenet-2"


def png(face: np.ndarray) -> bytes:
    """Return a face as a PNG file's bytes."""
    stream = io.BytesIO()
    Image.fromarray(face).save(stream, "PNG")
    return stream.getvalue()
