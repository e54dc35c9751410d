"""The face of a photo, also of one that lies on its side, or that the face fills.

A photo is searched as it is. Only if that gives no face, or the one that counts has a confidence
under `POOR`, it is searched again, in this order:

1. turned by 180°, 90° and 270°, of which the most confident face counts, if it is not poor itself,
   and sure (`SURE`) where there is an upright one;
2. if still none was found, with a black border of 20 % of the longer side, or of all the shorter
   side if that is less, so that a long thin photo takes no great memory; any face counts;
3. if still none was found, with the border and turned, as in 1.
"""

from dataclasses import replace

import numpy as np

from xcos_tf.data.detection import DEFAULT_RULE, DetectedFace, FaceDetector, choose_face

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
