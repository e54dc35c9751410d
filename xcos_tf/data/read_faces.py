"""From photos that are to be compared to their aligned faces, all in one call of the detector."""

from collections.abc import Callable, Sequence

from xcos_tf.data.aligner import AlignedFace, FaceAligner
from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.photo import photo_name, read_photo
from xcos_tf.errors import NoFaceError, XcosError


def read_faces(
    photos: Sequence,
    aligner: Callable[[], FaceAligner],
    aligned: bool = False,
    names: Sequence[str] = ("the photo",),
) -> list[AlignedFace]:
    """Return the one aligned face of each photo.

    Args:
        photos: path, bytes, open file, PIL image or uint8 RGB array each.
        aligner: gives the aligner; not called for photos that are aligned already.
        aligned: whether the photos are faces that are aligned already, 112×112.
        names: what errors call each photo, if it has no path.

    Raises:
        NoFaceError: a photo shows no face.
        XcosError: one cannot be read, or is not 112×112 as promised.
    """
    pixels = []
    for photo, name in zip(photos, names, strict=True):
        pixels.append(read_photo(photo, name))
        height, width = pixels[-1].shape[:2]
        if aligned and (height, width) != (FACE_SIZE, FACE_SIZE):
            raise XcosError(
                f"{photo_name(photo, name)} is {width}×{height} pixels and an aligned face is "
                f"{FACE_SIZE}×{FACE_SIZE}; leave out the option that says it is aligned"
            )
    if aligned:
        return [AlignedFace(image, None, 1) for image in pixels]
    faces = aligner().align(pixels)
    for photo, name, face in zip(photos, names, faces, strict=True):
        if face is None:
            raise NoFaceError(
                f"no face was found in {photo_name(photo, name)}; give a photo with one visible "
                "face",
                photo,
            )
    return faces
