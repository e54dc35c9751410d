"""Covering part of an aligned face: free-form masks, and shapes that people wear.

A face that is partly covered is what the paper's Fig. 5 tests on. Every mask follows from a seed.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageDraw

from xcos_tf import __version__
from xcos_tf.data.worn_shapes import WORN, wear
from xcos_tf.errors import XcosError

BRUSH_WIDTH = (0.06, 0.16)  # of a stroke, shares of the face's side
SEGMENT = (0.05, 0.2)  # length of a stroke's straight pieces, likewise
SEGMENTS = (3, 9)
TURN = np.pi / 3  # the most that a stroke turns between two pieces


def free_form_mask(share: float, random: np.random.Generator, size: int = 112) -> np.ndarray:
    """Return random brush strokes that cover a share of a square, exact to a pixel.

    Strokes are added until they cover enough; the end of the last is cut off. They are in the
    manner of the free-form masks of Chang et al., "Free-form Video Inpainting with 3D Gated
    Convolution and Temporal PatchGAN", ICCV 2019, which the paper's Fig. 5 (b) uses.

    Args:
        share: in [0, 1].
        random: what is drawn from.
        size: of the square's side, pixels.

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
    """Cover a share of a face by free-form strokes of one random colour.

    Args:
        face: uint8 (h, h, 3) RGB.
        share: of the square, in [0, 1].
        seed: whole numbers ≥ 0; the same ones cover the same place in the same colour.

    Returns:
        uint8 (h, h, 3), a copy.
    """
    random = np.random.default_rng(seed)
    colour = random.integers(256, size=3, dtype=np.uint8)
    return _filled(face, free_form_mask(share, random, len(face)), colour)


def face_seed(seed: int, name: str) -> list[int]:
    """Return the seed of what covers a photo, whichever other photos there are.

    Args:
        seed: ≥ 0.
        name: of the photo, relative to its folder, with "/".

    Returns:
        A seed for `occlude_face` or `wear`, the same on every machine.
    """
    digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
    return [seed, int.from_bytes(digest[:8], "big")]


@dataclass(frozen=True)
class Occluder:
    """Covers aligned faces, by free-form strokes or by something that is worn.

    Attributes:
        share: of the face that strokes cover, in (0, 1]; None where something is worn.
        worn: one of WORN, or None.
        seed: ≥ 0; with a photo's name, it says what covers the photo.

    Raises:
        XcosError: one of them is out of its range, or not one of share and worn is given.
    """

    share: float | None = None
    worn: str | None = None
    seed: int = 0

    def __post_init__(self):
        """Check."""
        if (self.share is None) == (self.worn is None):
            raise XcosError("give either a share of the face to cover or something to wear")
        if self.share is not None and not 0 < self.share <= 1:
            raise XcosError(f"a share of {self.share} cannot be covered; give one over 0, up to 1")
        if self.worn is not None and self.worn not in WORN:
            raise XcosError(f"there is no {self.worn!r} to wear; use one of {', '.join(WORN)}")
        if self.seed < 0:
            raise XcosError(f"the seed {self.seed} is under 0; give 0 or more")

    def cover(self, face: np.ndarray, name: str) -> np.ndarray:
        """Return a covered copy of a face.

        Args:
            face: uint8 (112, 112, 3) RGB, aligned.
            name: of its photo, relative to the folder of the set, with "/".
        """
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


def _filled(face, mask, colour):
    return np.where(mask[..., np.newaxis], np.asarray(colour, np.uint8), face)
