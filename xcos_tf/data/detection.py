"""Finding faces and their five landmarks, many photos at a time, with MTCNN.

K. Zhang et al., "Joint face detection and alignment using multitask cascaded convolutional
networks", IEEE Signal Processing Letters 23(10), 2016, as in the package `mtcnn`.
"""

from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from xcos_tf.errors import XcosError

BATCH_SIZE = 16

MAX_DETECTION_SIDE = 1280
"""Pixels. Larger photos are searched in a smaller copy; the warp still reads the original."""

# A batch never holds more pixels than this (16 photos of 512×512), which bounds its memory.
_MAX_BATCH_PIXELS = 16 * 512 * 512


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
    """Finds the faces of photos in batches of the same size."""

    def __init__(self, batch_size: int = BATCH_SIZE):
        """Load MTCNN's networks.

        Args:
            batch_size: the most photos that are searched in one go.

        Raises:
            ValueError: `batch_size` is under 1.
        """
        if batch_size < 1:
            raise ValueError(
                f"Expected a batch size of at least 1. Received: batch_size={batch_size}"
            )
        # Imported here, since `mtcnn` starts TensorFlow.
        import tensorflow as tf
        from mtcnn import MTCNN

        self._batch_size = batch_size
        self._mtcnn = MTCNN()
        for stage in self._mtcnn.stages:
            # Run layer by layer, Keras's own overhead takes most of the time. One traced graph
            # serves all sizes. (Should a later `mtcnn` name it otherwise, it is only slower.)
            stage._model = tf.function(stage.model, reduce_retracing=True)

    def detect(self, photos: Sequence[np.ndarray]) -> list[list[DetectedFace]]:
        """Find the faces of each photo.

        Photos of one size share batches; a mixture of sizes is never padded, since that would
        change what is found. Faces from 20 pixels up are found, in a photo (or its copy) whose
        longest side is at most `MAX_DETECTION_SIDE`.

        Args:
            photos: uint8 (H, W, 3) RGB each, of any sizes.

        Returns:
            For each photo, in the same order, its faces, most confident first.
        """
        groups = defaultdict(list)
        for index, photo in enumerate(photos):
            groups[photo.shape].append(index)
        found: list[list[DetectedFace]] = [[] for _ in photos]
        for shape, indices in groups.items():
            height, width = _detection_size(shape)
            fitting = max(1, min(self._batch_size, _MAX_BATCH_PIXELS // (height * width)))
            for start in range(0, len(indices), fitting):
                batch = indices[start : start + fitting]
                copies = [_resize(photos[index], height, width) for index in batch]
                for index, rows in zip(batch, self._detect_batch(copies), strict=True):
                    found[index] = _faces(rows, (height, width), shape)
        return found

    def _detect_batch(self, photos: list[np.ndarray]) -> list[np.ndarray]:
        """Return MTCNN's rows (image, x1, y1, x2, y2, confidence, 5 x, 5 y) of each photo."""
        # `min_face_size` stays at its default: a larger one makes the package's pyramid end in an
        # image smaller than its network's window. Whole-number landmarks, which its other output
        # gives, would cost precision.
        rows = self._mtcnn.detect_faces(photos, box_format="xyxy", output_type="numpy")
        if rows.shape == (0, 16) and len(photos) > 1:
            # What the package returns when TensorFlow refused something in the batch; the photos
            # that are not to blame have their faces all the same.
            return [self._detect_batch([photo])[0] for photo in photos]
        # Six columns mean that no photo of the batch shows a face.
        rows = rows if rows.shape[1] == 16 else np.empty((0, 16))
        rows = rows[np.isfinite(rows).all(axis=1)]
        return [rows[rows[:, 0] == index] for index in range(len(photos))]


def _detection_size(shape: tuple[int, ...]) -> tuple[int, int]:
    scale = min(1.0, MAX_DETECTION_SIDE / max(shape[:2]))
    return max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))


def _resize(photo: np.ndarray, height: int, width: int) -> np.ndarray:
    """Return float32 (height, width, 3), the type in which MTCNN is fastest."""
    if photo.shape[:2] != (height, width):
        image = Image.fromarray(np.ascontiguousarray(photo))
        # Averaging down by a whole factor first is much faster and looks the same.
        photo = np.asarray(
            image.resize((width, height), Image.Resampling.BILINEAR, reducing_gap=2.0)
        )
    return photo.astype(np.float32)


def _faces(
    rows: np.ndarray, searched: tuple[int, int], shape: tuple[int, ...]
) -> list[DetectedFace]:
    """Bring MTCNN's rows (F, 16) from the searched copy to the photo of this shape."""
    scale = np.array([shape[1] / searched[1], shape[0] / searched[0]])
    faces = []
    for row in rows[np.argsort(-rows[:, 5], kind="stable")]:
        # Pixel centres are whole numbers, so that the first pixel begins at −½.
        low, high = ((corner + 0.5) * scale - 0.5 for corner in (row[1:3], row[3:5]))
        landmarks = (np.stack([row[6:11], row[11:16]], axis=1) + 0.5) * scale - 0.5
        box = tuple(map(float, (*low, *(high - low))))
        # A face that is all in one point has no transform.
        if min(box[2:]) > 0 and np.ptp(landmarks, axis=0).max() > 0:
            faces.append(DetectedFace(box, landmarks.astype(np.float32), float(row[5])))
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
