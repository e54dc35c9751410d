"""The one face of a photo that is to be compared."""

from collections.abc import Callable

from xcos_tf.data.aligner import AlignedFace, FaceAligner
from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.photo import photo_name, read_photo
from xcos_tf.errors import NoFaceError, XcosError


def read_face(
    photo,
    aligner: Callable[[], FaceAligner],
    aligned: bool = False,
    name: str = "the photo",
) -> AlignedFace:
    """Return the aligned face of a photo.

    Args:
        photo: path, bytes, open file, PIL image or uint8 RGB array.
        aligner: gives the aligner; not called for a photo that is aligned already.
        aligned: whether the photo is a face that is aligned already, 112×112.
        name: what errors call a photo that has no path.

    Raises:
        NoFaceError: the photo shows no face.
        XcosError: it cannot be read, or is not 112×112 as promised.
    """
    label = photo_name(photo, name)
    pixels = read_photo(photo, name)
    if aligned:
        if pixels.shape[:2] != (FACE_SIZE, FACE_SIZE):
            raise XcosError(
                f"{label} is {pixels.shape[1]}×{pixels.shape[0]} pixels and an aligned face is "
                f"{FACE_SIZE}×{FACE_SIZE}; leave out the option that says it is aligned"
            )
        return AlignedFace(pixels, None, 1)
    face = aligner().align([pixels])[0]
    if face is None:
        raise NoFaceError(
            f"no face was found in {label}; give a photo with one visible face", photo
        )
    return face
