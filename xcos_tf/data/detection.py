"""Finding faces and their five landmarks in many photos, and choosing the one that counts.

Also that of a photo that lies on its side, or that the face fills.
"""

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

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
        scale = min(1.0, MAX_DETECTION_SIDE / max(photo.shape[:2]))
        searched = tuple(max(1, round(side * scale)) for side in photo.shape[:2])
        copy = photo
        if searched != photo.shape[:2]:
            copy = Image.fromarray(np.ascontiguousarray(photo))
            # Averaging down by a whole factor first is much faster and looks the same.
            copy = copy.resize(searched[::-1], Image.Resampling.BILINEAR, reducing_gap=2.0)
        with np.errstate(all="ignore"):  # whatever the process has set
            rows = self._cascade.find(np.asarray(copy), run)
            return _faces(rows, searched, photo.shape)


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


POOR = 0.98
"""Of LFW's photos, 3 % have a less confident face; of the same photos turned, all but 1 % that show
any."""

SURE = 0.995
"""The confidence that a turned face must have to count in place of an upright one. A face that is
hard to see may look a little more like one when it is turned, and was upright all the same."""

BORDER = 0.2
_TURNS = (180, 90, 270)

Found = tuple[DetectedFace, int, int]
"""A face, in pixels of the photo; how many were found; degrees to turn the photo by, clockwise."""


def find_face(
    detector: FaceDetector, photo: np.ndarray, faces: list[DetectedFace], rule: str = DEFAULT_RULE
) -> Found | None:
    """Choose the face that counts, searching again where need be; None if there is none.

    `faces` were found in the photo, uint8 (H, W, 3) RGB, as it is. For `rule`, see `choose_face`.
    Only if there is none, or the one that counts has a confidence under `POOR`, the photo is
    searched again, in this order:

    1. turned by 180°, 90° and 270°, of which the most confident face counts, if it is not poor
       itself, and sure (`SURE`) where there is an upright one;
    2. if still none was found, with a black border of 20 % of the longer side, or of all the
       shorter side if that is less, so that a long thin photo takes no great memory; any face
       counts;
    3. if still none was found, with the border and turned, as in 1.
    """
    upright = _chosen(faces, photo, rule, 0)
    if upright and upright[0].confidence >= POOR:
        return upright
    turned = _turned(detector, photo, rule)
    if turned and (not upright or turned[0].confidence >= SURE):
        return turned
    if upright:
        return upright
    side = min(round(max(photo.shape[:2]) * BORDER), *photo.shape[:2])
    wide = np.pad(photo, ((side, side), (side, side), (0, 0)))
    found = _chosen(detector.detect([wide])[0], wide, rule, 0) or _turned(detector, wide, rule)
    if not found:
        return None
    face, count, turned = found
    x, y, width, height = face.box
    inside = (x - side, y - side, width, height)
    return replace(face, box=inside, landmarks=face.landmarks - np.float32(side)), count, turned


def _chosen(faces: list[DetectedFace], photo: np.ndarray, rule: str, turned: int) -> Found | None:
    return (choose_face(faces, photo.shape, rule), len(faces), turned) if faces else None


def _turned(detector: FaceDetector, photo: np.ndarray, rule: str) -> Found | None:
    """Return the face of the best turn, in pixels of the photo as it is."""
    views = [np.ascontiguousarray(np.rot90(photo, -degrees // 90)) for degrees in _TURNS]
    found = [
        _chosen(faces, view, rule, degrees)
        for faces, view, degrees in zip(detector.detect(views), views, _TURNS, strict=True)
    ]
    found = [one for one in found if one and one[0].confidence >= POOR]
    if not found:
        return None
    face, count, degrees = max(found, key=lambda one: one[0].confidence)
    return _turned_back(face, photo.shape[:2], degrees), count, degrees


def _turned_back(face: DetectedFace, size: tuple[int, int], degrees: int) -> DetectedFace:
    """Bring a face from a photo that was turned clockwise to the photo itself, of this size."""
    height, width = size

    def back(points: np.ndarray) -> np.ndarray:
        x, y = points[:, 0], points[:, 1]
        turned_back = {180: (width - 1 - x, height - 1 - y), 90: (y, height - 1 - x)}
        return np.stack(turned_back.get(degrees, (width - 1 - y, x)), axis=1)

    x, y, box_width, box_height = face.box
    corners = back(np.array([[x, y], [x + box_width, y + box_height]]))
    low, high = corners.min(axis=0), corners.max(axis=0)
    box = tuple(map(float, (*low, *(high - low))))
    return replace(face, box=box, landmarks=back(face.landmarks))
