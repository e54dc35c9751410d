"""Whether a photo is good enough to enroll or to judge a face by."""

import numpy as np
from PIL import Image

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


def face_faults(face: np.ndarray) -> list[str]:
    """Return what is wrong with the light and the sharpness of an aligned face.

    Args:
        face: uint8 (112, 112, 3) RGB.

    Returns:
        Clauses such as "is blurred; hold the camera still"; none if nothing is wrong.
    """
    grey = np.asarray(Image.fromarray(face).convert("L"), np.float32)[_FACE]
    light, contrast = float(grey.mean()), float(grey.std())
    faults = []
    if light < LIGHT[0]:
        faults.append("is too dark; turn towards a light")
    elif light > LIGHT[1]:
        faults.append("is too bright; turn away from the light")
    if contrast < MIN_CONTRAST:
        faults.append("has too little contrast; clean the lens or change the light")
    elif _edges(grey) / contrast < MIN_SHARPNESS:
        faults.append("is blurred; hold the camera still")
    return faults


def photo_faults(landmarks: np.ndarray, faces_found: int) -> list[str]:
    """Return what is wrong with where a face is in its photo.

    Args:
        landmarks: (5, 2), x and y in pixels of the photo, in the order of `TEMPLATE_LANDMARKS`.
        faces_found: how many faces the photo shows.

    Returns:
        Clauses, as by `face_faults`.
    """
    eye_a, eye_b, nose, mouth_a, mouth_b = np.asarray(landmarks, np.float64)
    faults = []
    if faces_found > 1:
        faults.append(f"shows {faces_found} faces; be alone before the camera")
    distance = float(np.linalg.norm(eye_b - eye_a))
    if distance < MIN_EYE_DISTANCE:
        faults.append(
            f"shows the eyes only {distance:.0f} pixels apart; come closer, until it is at least "
            f"{MIN_EYE_DISTANCE:.0f}"
        )
    elif _turn(eye_a, eye_b, nose, mouth_a, mouth_b) > MAX_TURN:
        faults.append("shows the face from the side; look at the camera")
    return faults


def _edges(grey: np.ndarray) -> float:
    """Return the standard deviation of the Laplacian, which blur takes away."""
    centre = grey[1:-1, 1:-1]
    around = grey[1:-1, :-2] + grey[1:-1, 2:] + grey[:-2, 1:-1] + grey[2:, 1:-1]
    return float((around - 4 * centre).std())


def _turn(eye_a, eye_b, nose, mouth_a, mouth_b) -> float:
    """Return how far the nose lies off the line between eyes and mouth, in eye distances."""
    top, bottom = (eye_a + eye_b) / 2, (mouth_a + mouth_b) / 2
    down, across = bottom - top, nose - top
    length = np.linalg.norm(down)
    if not length:
        return np.inf
    off = abs(down[0] * across[1] - down[1] * across[0]) / length
    return float(off / np.linalg.norm(eye_b - eye_a))
