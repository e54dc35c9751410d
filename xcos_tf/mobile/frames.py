"""Photos on their way to being judged: read, aligned, and checked."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np

from xcos_tf.data.aligner import FaceAligner, read_faces
from xcos_tf.data.photo import photo_name, read_photo
from xcos_tf.mobile.quality import face_faults, photo_faults


@dataclass(frozen=True)
class Frame:
    """One photo.

    Attributes:
        name: the path that was given, or what the open file is called.
        face: uint8 (112, 112, 3) RGB; None if no face was found.
        faults: why it cannot be used, in clauses that follow the name; empty if it can.
    """

    name: str
    face: np.ndarray | None
    faults: list[str] = field(default_factory=list)

    @property
    def usable(self) -> bool:
        """Whether it can be enrolled or judged."""
        return not self.faults


def read_frames(photos: Sequence[str | BinaryIO], aligned: bool) -> list[Frame]:
    """Read photos and say of each what is wrong with it.

    Args:
        photos: paths or open files.
        aligned: whether they are 112×112 faces; if not, MTCNN looks for faces in them.

    Raises:
        XcosError: a photo cannot be read, or is not 112×112 as promised.
    """
    names = [photo_name(photo) for photo in photos]
    if aligned:
        faces = read_faces(photos, aligner=None, aligned=True, names=names)
        return [
            Frame(name, face.image, face_faults(face.image))
            for name, face in zip(names, faces, strict=True)
        ]
    pixels = [read_photo(photo) for photo in photos]
    frames = []
    for name, found in zip(names, FaceAligner().align(pixels), strict=True):
        if found is None:
            frames.append(Frame(name, None, ["shows no face; look at the camera"]))
            continue
        faults = photo_faults(found.face.landmarks, found.faces_found)
        frames.append(Frame(name, found.image, faults + face_faults(found.image)))
    return frames
