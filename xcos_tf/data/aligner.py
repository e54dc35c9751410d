"""From photos to aligned faces, one or many: detection, choice of the face, and warp."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xcos_tf.data.alignment import FACE_SIZE, check_aligned, warp_face
from xcos_tf.data.batching import read_ahead
from xcos_tf.data.detection import (
    BATCH_SIZE,
    DEFAULT_RULE,
    THREADS,
    DetectedFace,
    FaceDetector,
    check_rule,
    find_face,
)
from xcos_tf.data.photo import photo_name, read_photo
from xcos_tf.errors import NoFaceError, XcosError, reason_of


@dataclass(frozen=True)
class AlignedFace:
    """The face of a photo on the standard template.

    Attributes:
        image: uint8 (112, 112, 3) RGB.
        face: where it is in the photo; None of a photo that was given as aligned.
        faces_found: how many faces the photo shows; above 1, the aligner has chosen.
        turned: degrees by which the photo must be turned, clockwise, to have the face upright: 0,
            90, 180 or 270.
    """

    image: np.ndarray
    face: DetectedFace | None
    faces_found: int
    turned: int = 0


class FaceAligner:
    """Aligns the faces of photos, in batches."""

    def __init__(self, rule: str = DEFAULT_RULE, batch_size: int = BATCH_SIZE):
        """Load the detector, which searches at most `batch_size` photos at once.

        For `rule`, see `choose_face`.

        Raises:
            XcosError: there is no such rule.
            ValueError: `batch_size` is under 1.
        """
        check_rule(rule)
        self._rule = rule
        self._detector = FaceDetector(batch_size)

    def align(self, photos: Sequence[np.ndarray]) -> list[AlignedFace | None]:
        """Align one face of each photo, which may be turned, or filled by the face.

        Photos are uint8 (H, W, 3) RGB, of any sizes; None stands for one without a face.
        """
        aligned: list[AlignedFace | None] = []
        for photo, faces in zip(photos, self._detector.detect(photos), strict=True):
            found = find_face(self._detector, photo, faces, self._rule)
            aligned.append(found and AlignedFace(warp_face(photo, found[0].landmarks), *found))
        return aligned

    def align_all(self, photo: np.ndarray) -> list[AlignedFace]:
        """Align each upright face of a photo, uint8 (H, W, 3) RGB, from left to right."""
        faces = sorted(self._detector.detect([photo])[0], key=lambda face: face.box[0])
        return [AlignedFace(warp_face(photo, x.landmarks), x, len(faces)) for x in faces]


def read_faces(
    photos: Sequence,
    aligner: Callable[[], FaceAligner],
    aligned: bool = False,
    names: Sequence[str] = ("the photo",),
) -> list[AlignedFace]:
    """Return the one aligned face of each photo.

    Args:
        photos: path, bytes, open file, PIL image or uint8 RGB array each.
        aligner: called for one, unless the photos are aligned already, 112×112.
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


def align_each(
    paths: Iterable[Path],
    aligner: FaceAligner | None,
    batch_size: int = BATCH_SIZE,
    read_one: Callable[[Path], np.ndarray] = read_photo,
    keep: Callable[[Path, AlignedFace], None] = lambda path, face: None,
) -> Iterator[tuple[Path, AlignedFace | str]]:
    """Align a face of each photo, some at once; a photo that fails does not stop the others.

    A photo is read by `read_one`, as uint8 (H, W, 3); without an aligner it is a face that is
    aligned already. `keep` is called with each face, in several threads. An XcosError of either is
    a reason to have none.

    Yields:
        Each path, in order, with its face or the reason why there is none.
    """

    def align(path: Path) -> AlignedFace:
        photo = read_one(path)
        if aligner is None:
            check_aligned(photo, path)
            return AlignedFace(photo, None, 1)
        try:
            face = aligner.align([photo])[0]
        except MemoryError:
            raise
        except Exception as error:  # whatever one odd photo brings up must not cost the others
            reason = f"{type(error).__name__}: {reason_of(error)}"
            raise XcosError(f"face detection failed ({reason})") from None
        if face is None:
            raise XcosError("no face was found; give a photo with one visible face")
        keep(path, face)
        return face

    for path, face in read_ahead(paths, align, min(batch_size, THREADS)):
        yield path, str(face) if isinstance(face, XcosError) else face
