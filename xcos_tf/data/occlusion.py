"""Covering part of an aligned face: free-form masks, and sunglasses, a scarf or a hand before it.

A face that is partly covered is what the paper's Fig. 5 tests on. Faces are uint8 (h, h, 3) RGB,
and come out as copies. Every cover follows from a seed, whole numbers of 0 or above.

What people wear stands in for the AR face database (Martínez and Benavente, CVC technical report
24, 1998), which the paper's Fig. 5 (a) tests on and which is not free to pass on: flat shapes in
one colour, placed by the five landmarks, where its people wear real ones.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from xcos_tf import __version__
from xcos_tf.data.alignment import TEMPLATE_LANDMARKS
from xcos_tf.errors import XcosError

BRUSH_WIDTH = (0.06, 0.16)  # of a stroke, shares of the face's side
SEGMENT = (0.05, 0.2)  # length of a stroke's straight pieces, likewise
SEGMENTS = (3, 9)
TURN = np.pi / 3  # the most that a stroke turns between two pieces

WORN = ("sunglasses", "scarf", "hand")
FINER = 4  # times as fine are shapes drawn, for smooth edges

_SKIN = np.array([[233, 190, 165], [198, 140, 105], [120, 80, 55]])


def free_form_mask(share: float, random: np.random.Generator, size: int = 112) -> np.ndarray:
    """Return random brush strokes that cover a share of a square, exact to a pixel.

    Strokes are added until they cover enough; the end of the last is cut off. They are in the
    manner of the free-form masks of Chang et al., "Free-form Video Inpainting with 3D Gated
    Convolution and Temporal PatchGAN", ICCV 2019, which the paper's Fig. 5 (b) uses.

    Returns:
        bool (size, size), true where covered: round(share · size²) pixels.

    Raises:
        ValueError: the share is not in [0, 1].
    """
    if not 0 <= share <= 1:
        raise ValueError(f"Expected `share` to be from 0 to 1. Received: share={share}")
    wanted = round(share * size**2)
    mask = np.zeros((size, size), bool)
    while (missing := wanted - int(mask.sum())) > 0:
        points, width = _stroke(random, size)
        fresh = _paint(points, width, size) & ~mask
        if fresh.sum() > missing:
            places = np.argwhere(fresh)
            distance = np.hypot(*(places - points[0, ::-1]).T)
            fresh[tuple(places[np.argsort(distance, kind="stable")[missing:]].T)] = False
        mask |= fresh
    return mask


def occlude_face(face: np.ndarray, share: float, seed: int | Sequence[int]) -> np.ndarray:
    """Cover a share of a face, in [0, 1] of the square, by strokes of one random colour."""
    random = np.random.default_rng(seed)
    colour = random.integers(256, size=3, dtype=np.uint8)
    mask = free_form_mask(share, random, len(face))
    return np.where(mask[..., np.newaxis], colour, face)


def face_seed(seed: int, name: str) -> list[int]:
    """Return the seed of what covers a photo, the same on every machine and in any company.

    It follows from the seed of all covers, and the photo's name in its folder, with "/".
    """
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return [seed, int.from_bytes(digest[:8], "big")]


@dataclass(frozen=True)
class Occluder:
    """Covers aligned faces, by free-form strokes or by something that is worn.

    Raises:
        XcosError: one of them is out of its range, or not one of share and worn is given.
    """

    share: float | None = None  # of the face that strokes cover, in (0, 1]
    worn: str | None = None  # one of WORN
    seed: int = 0  # ≥ 0; with a photo's name, it says what covers the photo

    def __post_init__(self):
        if (self.share is None) == (self.worn is None):
            raise XcosError("give either a share of the face to cover or something to wear")
        if self.share is not None and not 0 < self.share <= 1:
            raise XcosError(f"a share of {self.share} cannot be covered; give one over 0, up to 1")
        if self.worn is not None and self.worn not in WORN:
            raise XcosError(f"there is no {self.worn!r} to wear; use one of {', '.join(WORN)}")
        if self.seed < 0:
            raise XcosError(f"the seed {self.seed} is under 0; give 0 or more")

    def cover(self, face: np.ndarray, name: str) -> np.ndarray:
        """Return a covered copy of an aligned face, whose name is as that of `face_seed`."""
        seed = face_seed(self.seed, name)
        if self.worn is None:
            return occlude_face(face, self.share, seed)
        return wear(face, self.worn, seed)

    def settings(self) -> dict:
        """Return all that covers follow from, for JSON; another version may cover otherwise."""
        how = {"share": self.share} if self.worn is None else {"wear": self.worn}
        return {"version": __version__, "seed": self.seed, **how}


def _stroke(random, size):
    """Return the corners of a stroke, float (n, 2) as x and y in pixels, and its width."""
    count = random.integers(SEGMENTS[0], SEGMENTS[1], endpoint=True)
    start = random.uniform(0, size, 2)
    angles = random.uniform(0, 2 * np.pi) + np.cumsum(random.uniform(-TURN, TURN, count))
    lengths = random.uniform(*SEGMENT, count) * size
    steps = lengths[:, np.newaxis] * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    width = max(1, round(random.uniform(*BRUSH_WIDTH) * size))
    return start + np.concatenate([np.zeros((1, 2)), np.cumsum(steps, axis=0)]), width


def _paint(points, width, size) -> np.ndarray:
    """Return where a line with round ends and corners lies, bool (size, size)."""
    image = Image.new("1", (size, size))
    draw = ImageDraw.Draw(image)
    draw.line(points.ravel().tolist(), fill=1, width=width)
    for x, y in points.tolist():
        draw.ellipse((x - width / 2, y - width / 2, x + width / 2, y + width / 2), fill=1)
    return np.array(image)


def wear(
    face: np.ndarray,
    what: str,
    seed: int | Sequence[int],
    landmarks: np.ndarray = TEMPLATE_LANDMARKS,
) -> np.ndarray:
    """Put a flat shape over a face, a little larger, shifted and turned by chance.

    Sunglasses cover both eyes, a scarf everything from the nose's tip down, a hand the mouth and
    one cheek.

    Landmarks are (5, 2), x and y in pixels; by default those of an aligned 112×112 face.

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
        edge = [(-2, -0.15), (-0.8, 0.0), (0, -0.05), (0.8, 0.0), (2, -0.15)]
        place.polygon([*edge, (2, 4), (-2, 4)])
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


def _draw_hand(place, side):
    palm = np.add(place.mouth, (0.45 * side, 0.15))
    place.ellipse(palm, 0.5, 0.42)
    for number in range(4):  # the fingers reach over the mouth
        start = np.add(palm, (-0.25 * side, -0.27 + 0.18 * number))
        place.bar(start, np.add(start, (-0.75 * side, -0.12 + 0.03 * number)), 0.16)
    # The thumb, up the cheek, and the wrist.
    place.bar(np.add(palm, (0, -0.2)), np.add(palm, (0.1 * side, -0.95)), 0.2)
    place.bar(np.add(palm, (0.2 * side, 0.2)), np.add(palm, (0.9 * side, 1.4)), 0.7)
