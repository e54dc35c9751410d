"""The one face of a photo that is to be compared."""

from collections.abc import Callable

import numpy as np

from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.photo import photo_name, read_photo
from xcos_tf.errors import XcosError


def read_face(
    photo, aligner: Callable[[], FaceAligner], aligned: bool = False
) -> tuple[np.ndarray, int]:
    """Return the aligned face of a photo.

    Args:
        photo: path, bytes, open file, PIL image or uint8 RGB array.
        aligner: gives the aligner; not called for a photo that is aligned already.
        aligned: whether the photo is a face that is aligned already, 112×112.

    Returns:
        uint8 (112, 112, 3) RGB, and how many faces the photo shows.

    Raises:
        XcosError: the photo cannot be read, or shows no face, or is not 112×112 as promised.
    """
    label = photo_name(photo)
    pixels = read_photo(photo)
    if aligned:
        if pixels.shape[:2] != (FACE_SIZE, FACE_SIZE):
            raise XcosError(
                f"{label} is {pixels.shape[1]}×{pixels.shape[0]} pixels and an aligned face is "
                f"{FACE_SIZE}×{FACE_SIZE}; leave out the option that says it is aligned"
            )
        return pixels, 1
    face = aligner().align([pixels])[0]
    if face is None:
        raise XcosError(f"no face was found in {label}; give a photo with one visible face")
    return face.image, face.faces_found
