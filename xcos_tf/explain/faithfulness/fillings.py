"""What stands where a place of a face was removed; the choice matters, so there are two."""

import numpy as np
from PIL import Image, ImageFilter

from xcos_tf.errors import XcosError

FILLINGS = ("black", "blur")
BLUR_RADIUS = 10  # pixels of 112: eyes and mouth are smears, the face's tones remain


def filling_of(face: np.ndarray, filling: str) -> np.ndarray:
    """Return what replaces removed places of a face, over the whole of it.

    Args:
        face: uint8 (h, w, 3) RGB.
        filling: "black", or "blur" for the face itself, blurred.

    Returns:
        uint8 (h, w, 3).

    Raises:
        XcosError: there is no such filling.
    """
    if filling not in FILLINGS:
        raise XcosError(f"there is no filling {filling!r}; use one of {', '.join(FILLINGS)}")
    if filling == "black":
        return np.zeros_like(face)
    return np.array(Image.fromarray(face).filter(ImageFilter.GaussianBlur(BLUR_RADIUS)))
