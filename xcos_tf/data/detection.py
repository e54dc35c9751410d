"""Finding faces and their five landmarks in many photos, and choosing the one that counts."""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from PIL import Image

from xcos_tf.data.cascade import Cascade
from xcos_tf.errors import XcosError

BATCH_SIZE = 16

MAX_DETECTION_SIDE = 1280
"""Pixels. Larger photos are searched in a smaller copy; the warp still reads the original."""

SMALL = 3 * 512 * 512
"""Numbers of a photo that one thread searches as fast as several."""

THREADS = 4
"""Twice the cores of a small machine: while some photos are in a network, others are between."""


@dataclass(frozen=True)
class DetectedFace:
    """A face in a photo.

    Attributes:
        box: x, y, width and height in pixels, within the photo.
        landmarks: float32 (5, 2), x and y in pixels of the eye, eye, nose, mouth corner and mouth
            corner, left of the image first: the order of `TEMPLATE_LANDMARKS`.
        confidence: in (0, 1].
    """

    box: tuple[float, float, float, float]
    landmarks: np.ndarray
    confidence: float


class FaceDetector:
    """Finds the faces of photos, some at once, each as if it were alone."""

    def __init__(self, batch_size: int = BATCH_SIZE):
        """Load MTCNN's networks.

        Args:
            batch_size: the most photos that are searched at once.

        Raises:
            ValueError: `batch_size` is under 1.
        """
        if batch_size < 1:
            raise ValueError(
                f"Expected a batch size of at least 1. Received: batch_size={batch_size}"
            )
        self._threads = min(batch_size, THREADS)
        self._cascade = Cascade()

    def detect(self, photos: Sequence[np.ndarray]) -> list[list[DetectedFace]]:
        """Find the faces of each photo.

        What is found in a photo does not depend on the others, not by a bit. Faces from 20 pixels
        up are found, in a photo (or its copy) whose longest side is at most `MAX_DETECTION_SIDE`.

        Args:
            photos: uint8 (H, W, 3) RGB each, of any sizes.

        Returns:
            For each photo, in the same order, its faces, most confident first.
        """
        with ThreadPoolExecutor(self._threads) as pool:
            if len(photos) > 1:
                return list(pool.map(self._detect, photos))
            return [self._detect(x, pool.map if x.size > SMALL else map) for x in photos]

    def _detect(self, photo: np.ndarray, run: Callable = map) -> list[DetectedFace]:
        searched = _detection_size(photo.shape)
        with np.errstate(all="ignore"):  # whatever the process has set
            rows = self._cascade.find(_resize(photo, *searched), run)
            return _faces(rows, searched, photo.shape)


def _detection_size(shape: tuple[int, ...]) -> tuple[int, int]:
    scale = min(1.0, MAX_DETECTION_SIDE / max(shape[:2]))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _resize(photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return uint8 (height, width, 3)."""
    if photo.shape[:2] == (height, width):
        return photo
    image = Image.fromarray(np.ascontiguousarray(photo))
    # Averaging down by a whole factor first is much faster and looks the same.
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0))


def _faces(
    rows: np.ndarray, searched: tuple[int, int], shape: tuple[int, ...]
) -> list[DetectedFace]:
    """Bring the cascade's rows (F, 15) from the searched copy to the photo of this shape."""
    scale = np.array([shape[1] / searched[1], shape[0] / searched[0]])
    faces = []
    for row in rows.astype(np.float64):
        # Pixel centres are whole numbers, so that the first pixel begins at −½.
        low, high = ((corner + 0.5) * scale - 0.5 for corner in (row[:2], row[2:4]))
        landmarks = (row[5:].reshape(2, 5).T + 0.5) * scale - 0.5
        box = tuple(map(float, (*low, *(high - low))))
        # A face that is all in one point has no transform.
        if min(box[2:]) > 0 and np.ptp(landmarks, axis=0).max() > 0:
            faces.append(DetectedFace(box, landmarks.astype(np.float32), float(row[4])))
    return faces


def _area(face: DetectedFace) -> float:
    return face.box[2] * face.box[3]


def _centrality(face: DetectedFace, photo_size: tuple[int, int]) -> float:
    """Return the area less twice the squared distance from the photo's centre, in pixels²."""
    height, width = photo_size
    x = face.box[0] + face.box[2] / 2 - (width - 1) / 2
    y = face.box[1] + face.box[3] / 2 - (height - 1) / 2
    return _area(face) - 2 * (x * x + y * y)


_RULES: dict[str, Callable[[DetectedFace, tuple[int, int]], float]] = {
    "largest-central": _centrality,
    "largest": lambda face, size: _area(face),
    "most-confident": lambda face, size: face.confidence,
    "leftmost": lambda face, size: -(face.box[0] + face.box[2] / 2),
    "rightmost": lambda face, size: face.box[0] + face.box[2] / 2,
}

DEFAULT_RULE = "largest-central"
FACE_RULES = tuple(_RULES)


def check_rule(rule: str) -> None:
    """Raise XcosError if `rule` is not one of `FACE_RULES`."""
    if rule not in _RULES:
        raise XcosError(f"there is no face rule {rule!r}; use one of {', '.join(FACE_RULES)}")


def choose_face(
    faces: Sequence[DetectedFace], photo_size: tuple[int, int], rule: str = DEFAULT_RULE
) -> DetectedFace:
    """Choose the face of a photo that counts.

    Args:
        faces: at least one.
        photo_size: height and width of the photo in pixels; its whole shape will do.
        rule: "largest-central" (area less twice the squared distance of the box from the photo's
            centre, as in Facenet's and ArcFace's alignment), "largest", "most-confident",
            "leftmost" or "rightmost" (centre of the box, in the image).

    Raises:
        XcosError: there is no such rule.
        ValueError: there is no face.
    """
    check_rule(rule)
    if not faces:
        raise ValueError("Expected at least one face. Received: faces=[]")
    return max(faces, key=lambda face: _RULES[rule](face, tuple(photo_size[:2])))
