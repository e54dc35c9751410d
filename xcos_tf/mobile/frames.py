"""Photos on their way to being judged: read, aligned, and checked for what they are worth."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import BinaryIO

import numpy as np
from PIL import Image

from xcos_tf.data.aligner import FaceAligner, read_faces
from xcos_tf.data.photo import photo_name, read_photo

MIN_EYE_DISTANCE = 20.0
"""Pixels of the photo, before alignment, which brings the eyes 35 pixels apart."""
MAX_TURN = 0.25
"""How far the nose may lie from the middle of eyes and mouth, in eye distances: about 30°."""

# By the faces of the validation people: of those that one of these refuses, some one in 150, half
# are not recognised either; a Gaussian blur of 1.5 pixels takes 19 of 20 faces below the sharpness.
LIGHT = (50.0, 225.0)
MIN_CONTRAST = 15.0
MIN_SHARPNESS = 0.16

# Of the aligned face, free of most hair and background.
_FACE = (slice(20, 100), slice(22, 90))


@dataclass(frozen=True)
class Frame:
    """One photo."""

    name: str  # the path that was given, or what the open file is called
    face: np.ndarray | None  # uint8 (112, 112, 3) RGB; None if no face was found
    problems: list[str] = field(default_factory=list)  # why it cannot be used, after its name

    @property
    def usable(self) -> bool:
        """Whether it can be enrolled or judged."""
        return not self.problems


def read_frames(photos: Sequence[str | BinaryIO], aligned: bool) -> list[Frame]:
    """Read photos and say of each what is wrong with it.

    MTCNN looks for faces in them, unless they are aligned, 112×112.

    Raises:
        XcosError: a photo cannot be read, or is not 112×112 as promised.
    """
    names = [photo_name(photo) for photo in photos]
    if aligned:
        faces = read_faces(photos, aligner=None, aligned=True, names=names)
    else:
        faces = FaceAligner().align([read_photo(photo) for photo in photos])
    frames = []
    for name, found in zip(names, faces, strict=True):
        if found is None:
            frames.append(Frame(name, None, ["shows no face; look at the camera"]))
            continue
        problems = [] if aligned else photo_problems(found.face.landmarks, found.faces_found)
        frames.append(Frame(name, found.image, problems + face_problems(found.image)))
    return frames


def face_problems(face: np.ndarray) -> list[str]:
    """Return what is wrong with the light and the sharpness of a face, uint8 (112, 112, 3) RGB.

    Clauses are such as "is blurred; hold the camera still"; none if nothing is wrong.
    """
    grey = np.asarray(Image.fromarray(face).convert("L"), np.float32)[_FACE]
    light, contrast = float(grey.mean()), float(grey.std())
    around = grey[1:-1, :-2] + grey[1:-1, 2:] + grey[:-2, 1:-1] + grey[2:, 1:-1]
    laplacian = around - 4 * grey[1:-1, 1:-1]
    problems = []
    if light < LIGHT[0]:
        problems.append("is too dark; turn towards a light")
    elif light > LIGHT[1]:
        problems.append("is too bright; turn away from the light")
    if contrast < MIN_CONTRAST:
        problems.append("has too little contrast; clean the lens or change the light")
    elif float(laplacian.std()) / contrast < MIN_SHARPNESS:  # which blur takes away
        problems.append("is blurred; hold the camera still")
    return problems


def photo_problems(landmarks: np.ndarray, faces_found: int) -> list[str]:
    """Return what is wrong with where a face is in its photo, in clauses as of `face_problems`.

    Landmarks are (5, 2), x and y in pixels of the photo, in the order of `TEMPLATE_LANDMARKS`.
    """
    eye_a, eye_b, nose, mouth_a, mouth_b = np.asarray(landmarks, np.float64)
    problems = []
    if faces_found > 1:
        problems.append(f"shows {faces_found} faces; be alone before the camera")
    distance = float(np.linalg.norm(eye_b - eye_a))
    if distance < MIN_EYE_DISTANCE:
        problems.append(
            f"shows the eyes only {distance:.0f} pixels apart; come closer, until it is at least "
            f"{MIN_EYE_DISTANCE:.0f}"
        )
    elif _turn(eye_a, eye_b, nose, mouth_a, mouth_b) > MAX_TURN:
        problems.append("shows the face from the side; look at the camera")
    return problems


def _turn(eye_a, eye_b, nose, mouth_a, mouth_b) -> float:
    """Return how far the nose lies off the line between eyes and mouth, in eye distances."""
    top, bottom = (eye_a + eye_b) / 2, (mouth_a + mouth_b) / 2
    down, across = bottom - top, nose - top
    length = np.linalg.norm(down)
    if not length:
        return np.inf
    off = abs(down[0] * across[1] - down[1] * across[0]) / length
    return float(off / np.linalg.norm(eye_b - eye_a))
