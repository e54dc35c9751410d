"""What MTCNN's networks look at: smaller copies of a photo, in strips, and parts cut out of it."""

from collections.abc import Iterator

import numpy as np

_SMALLEST_FACE = 20
_STEP = 0.709
"""Each copy of the photo is smaller than the one before by this."""

WINDOW, STRIDE = 12, 2
"""Pixels: the side of what PNet looks at, and how far one look is from the next."""

_LOOKS = 9216
"""Looks in a strip, of whole rows: what PNet makes of so many stays in a processor's cache."""

_SUMS = 30_000
"""Sums that are looked up at once, so that they stay in a cache too."""

_GREY = np.float32(127.5)


class Pyramid:
    """The copies of a photo that PNet searches: the mean of the photo under each of their pixels.

    A mean takes four corners of a table of sums, whatever the area. Sums of whole numbers are
    exact, so that a copy in strips is, bit by bit, the copy.
    """

    def __init__(self, photo: np.ndarray):
        """Sum up a photo, uint8 (H, W, 3), of 8 million pixels at most."""
        self._size = np.array(photo.shape[:2])
        self._sums = np.zeros((*self._size + 1, 3), np.int32)
        self._sums[1:, 1:] = photo
        for above, row in zip(self._sums, self._sums[1:], strict=False):
            row += above  # which takes a quarter of the time of `cumsum` along this axis
        np.cumsum(self._sums, axis=1, out=self._sums)

    def strips(self) -> Iterator[tuple[float, int]]:
        """Yield the scale of each copy, largest first, with the first row of each strip of it."""
        shorter_side = self._size.min()
        # None if even the first copy is less than a window.
        count = round(-np.log(shorter_side / WINDOW) / np.log(_STEP) - 1)
        for scale in WINDOW / _SMALLEST_FACE * _STEP ** np.arange(max(count, 0)):
            for row in range(0, int(scale * self._size[0]) - WINDOW + STRIDE, self._step(scale)):
                yield scale, row

    def strip(self, scale: float, row: int) -> np.ndarray:
        """Return float32 (h, w, 3), 0 to 255, of a copy: all that the looks of a strip see."""
        height, width = (scale * self._size).astype(int)
        down, down_part = _places(self._size[0], height)
        across, across_part = _places(self._size[1], width)
        area = height * width / self._size.prod()
        end = min(row + self._step(scale) + WINDOW - STRIDE, height)
        found = np.empty((end - row, width, 3), np.float32)
        count = max(1, _SUMS // self._sums[0].size)
        for i in range(row, end, count):
            edges = slice(i, min(i + count, end) + 1)
            sums = _between(self._sums, down[edges], down_part[edges, None, None], axis=0)
            sums = _between(sums, across, across_part[:, None], axis=1)
            np.multiply(sums, area, out=found[i - row : i - row + len(sums)], casting="same_kind")
        return found

    def _step(self, scale: float) -> int:
        """Return how many rows of a copy one strip of it is from the next."""
        looks = (int(scale * self._size[1]) - WINDOW) // STRIDE + 1
        return STRIDE * max(1, _LOOKS // looks)


def _places(length: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends, (count + 1,), of equal pieces of a length: whole pixels, and the rest."""
    ends = np.arange(count + 1) * (length / count)
    low = np.minimum(ends.astype(int), length - 1)
    return low, ends - low


def _between(sums: np.ndarray, low: np.ndarray, part: np.ndarray, axis: int) -> np.ndarray:
    """Return what lies between each two places of an axis of sums."""
    before = sums.take(low, axis)
    at = (sums.take(low + 1, axis) - before) * part
    at += before
    return at[1:] - at[:-1] if axis == 0 else at[:, 1:] - at[:, :-1]


def crops(photo: np.ndarray, boxes: np.ndarray, side: int) -> np.ndarray:
    """Cut boxes out of a photo, bilinear, grey where they reach beyond it.

    Args:
        photo: uint8 (H, W, 3).
        boxes: float32 (K, 4), x1, y1, x2, y2 in pixels.
        side: of each crop in pixels.

    Returns:
        float32 (K, side, side, 3), 0 to 255.
    """
    limits = np.array(photo.shape[1::-1]) - 1
    # As the weights were trained: boxes are taken as shares of a photo that is one pixel larger.
    corners = boxes.reshape(-1, 2, 2) * (limits / (limits + 1))
    steps = np.arange(side)[:, None] / (side - 1)
    at = corners[:, :1] + steps * (corners[:, 1:] - corners[:, :1])  # (K, side, x and y)
    outside = (at < 0) | (at > limits)
    low = np.clip(at, 0, limits).astype(int)
    part = (at - low).astype(np.float32)
    x, y = low[..., 0], low[..., 1]
    right, below = np.minimum(low + 1, limits).transpose(2, 0, 1)
    across, down = part[:, None, :, :1], part[:, :, None, 1:]
    pixels = photo.reshape(-1, 3)

    def row(y: np.ndarray) -> np.ndarray:
        start = y[:, :, None] * photo.shape[1]
        left = pixels.take(start + x[:, None], axis=0).astype(np.float32)
        change = pixels.take(start + right[:, None], axis=0) - left
        change *= across
        change += left
        return change

    upper, crop = row(y), row(below)
    crop -= upper
    crop *= down
    crop += upper
    crop[outside[:, :, None, 1] | outside[:, None, :, 0]] = _GREY
    return crop
