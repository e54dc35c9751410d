"""Sunglasses, a scarf or a hand before a face, placed by its five landmarks.

A stand-in for the AR face database (Martínez and Benavente, CVC technical report 24, 1998), which
the paper's Fig. 5 (a) tests on and which is not free to pass on: flat shapes in one colour, where
its people wear real ones.
"""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw

from xcos_tf.data.alignment import TEMPLATE_LANDMARKS

WORN = ("sunglasses", "scarf", "hand")
FINER = 4  # times as fine are shapes drawn, for smooth edges

_SKIN = np.array([[233, 190, 165], [198, 140, 105], [120, 80, 55]])


def wear(
    face: np.ndarray,
    what: str,
    seed: int | Sequence[int],
    landmarks: np.ndarray = TEMPLATE_LANDMARKS,
) -> np.ndarray:
    """Put a flat shape over a face, a little larger, shifted and turned by chance.

    Sunglasses cover both eyes, a scarf everything from the nose's tip down, a hand the mouth and
    one cheek.

    Args:
        face: uint8 (h, h, 3) RGB.
        what: one of WORN.
        seed: whole numbers ≥ 0; the same ones give the same picture.
        landmarks: (5, 2), x and y in pixels; by default those of an aligned 112×112 face.

    Returns:
        uint8 (h, h, 3), a copy.

    Raises:
        ValueError: there is no such shape, or both eyes are in one place.
    """
    if what not in WORN:
        raise ValueError(f"Expected `what` to be one of {WORN}. Received: what={what!r}")
    random = np.random.default_rng(seed)
    place = _Place(np.asarray(landmarks, np.float64), len(face), random)
    if what == "sunglasses":
        colour = random.integers(0, 60, 3)
        _draw_sunglasses(place)
    elif what == "scarf":
        colour = random.integers(0, 256, 3)
        _draw_scarf(place)
    else:
        colour = _SKIN[random.integers(len(_SKIN))]
        _draw_hand(place, side=random.choice([-1, 1]))
    cover = place.coverage()[..., np.newaxis]
    return np.round(face * (1 - cover) + colour * cover).astype(np.uint8)


class _Place:
    """Draws in the face's own terms: x along the eyes, y down, the distance of the eyes is 1.

    The nose's tip is the origin; everything is scaled by up to 8 %, shifted by up to 0.06 and
    turned by up to 4°.
    """

    def __init__(self, landmarks, size, random):
        left, right, nose, *_ = landmarks
        across = right - left
        if not np.hypot(*across) > 0:
            raise ValueError(f"Expected two eyes apart. Received: landmarks={landmarks.tolist()}")
        angle = random.uniform(-0.07, 0.07)
        turned = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        axes = np.stack([across, [-across[1], across[0]]])
        self._axes = axes.T @ turned * random.uniform(0.92, 1.08)
        self._origin = nose + axes.T @ random.uniform(-0.06, 0.06, 2)
        inverse = np.linalg.inv(axes.T)
        self.eyes = [inverse @ (eye - nose) for eye in (left, right)]
        self.mouth = inverse @ (landmarks[3:].mean(axis=0) - nose)
        self._image = Image.new("L", (size * FINER, size * FINER))
        self._draw = ImageDraw.Draw(self._image)

    def polygon(self, points):
        pixels = np.asarray(points, np.float64) @ self._axes.T + self._origin
        self._draw.polygon(((pixels + 0.5) * FINER).ravel().tolist(), fill=255)

    def ellipse(self, centre, half_width, half_height):
        turn = np.linspace(0, 2 * np.pi, 40, endpoint=False)
        offsets = np.stack([half_width * np.cos(turn), half_height * np.sin(turn)], axis=1)
        self.polygon(np.asarray(centre) + offsets)

    def bar(self, start, end, width):
        """Draw a line with round ends."""
        start, end = np.asarray(start, np.float64), np.asarray(end, np.float64)
        along = (end - start) / np.hypot(*(end - start))
        beside = np.array([-along[1], along[0]]) * width / 2
        self.polygon([start + beside, end + beside, end - beside, start - beside])
        for point in (start, end):
            self.ellipse(point, width / 2, width / 2)

    def coverage(self) -> np.ndarray:
        """Return how much of each pixel is covered, float64 (h, h) in [0, 1]."""
        return np.asarray(self._image.reduce(FINER), np.float64) / 255


def _draw_sunglasses(place):
    for eye, outwards in zip(place.eyes, (-1, 1), strict=True):
        place.ellipse(np.add(eye, (0, 0.05)), 0.42, 0.33)
        place.bar(np.add(eye, (0.35 * outwards, -0.1)), np.add(eye, (0.95 * outwards, -0.15)), 0.1)
    place.bar(*(np.add(eye, (0, -0.08)) for eye in place.eyes), 0.12)


def _draw_scarf(place):
    edge = [(-2, -0.15), (-0.8, 0.0), (0, -0.05), (0.8, 0.0), (2, -0.15)]
    place.polygon([*edge, (2, 4), (-2, 4)])


def _draw_hand(place, side):
    palm = np.add(place.mouth, (0.45 * side, 0.15))
    place.ellipse(palm, 0.5, 0.42)
    for number in range(4):  # the fingers reach over the mouth
        start = np.add(palm, (-0.25 * side, -0.27 + 0.18 * number))
        place.bar(start, np.add(start, (-0.75 * side, -0.12 + 0.03 * number)), 0.16)
    place.bar(
        np.add(palm, (0, -0.2)), np.add(palm, (0.1 * side, -0.95)), 0.2
    )  # the thumb, up the cheek
    place.bar(np.add(palm, (0.2 * side, 0.2)), np.add(palm, (0.9 * side, 1.4)), 0.7)  # the wrist
