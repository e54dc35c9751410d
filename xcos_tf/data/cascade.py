"""MTCNN's cascade of three networks, run on one photo at a time by LiteRT.

K. Zhang et al., "Joint face detection and alignment using multitask cascaded convolutional
networks", IEEE Signal Processing Letters 23(10), 2016, as in the package `mtcnn`. What lies between
the networks is done here, since the package sorts boxes unstably, by a softmax that gives many of
them exactly 1.0: which of them was kept, and so where a face's landmarks were, depended on the
photos that shared a batch.
"""

import math
from collections.abc import Callable, Iterator
from importlib.resources import files

import numpy as np

from xcos_tf.quiet import quiet_start

_PROPOSED, _REFINED, _FOUND = 0.6, 0.7, 0.8
"""The probability that a window must exceed to pass PNet, RNet and ONet."""

_MOST_WINDOWS = 4096
"""As many pass PNet; photos have some hundred at most, a pattern made for it has a million."""

_CROP_PIXELS = 36_864
"""As many go through RNet or ONet at once, so that what a layer makes of them stays in a cache."""

_GREY = np.float32(127.5)

_KEPT = 400_000
"""Numbers that go into the interpreters of a network that are kept: three times as many as PNet
takes of a photo of 250×250."""

_COMPARED = 256
"""Boxes that are compared with all others at once."""

_SMALLEST_FACE = 20
_STEP = 0.709
"""Each copy of the photo is smaller than the one before by this."""

WINDOW, STRIDE = 12, 2
"""Pixels: the side of what PNet looks at, and how far one look is from the next."""

_LOOKS = 9216
"""Looks in a strip, of whole rows: what PNet makes of so many stays in a processor's cache."""

_SUMS = 30_000
"""Sums that are looked up at once, so that they stay in a cache too."""


class Network:
    """One of the three networks. Any thread may call it, and a process that was forked.

    An interpreter runs for one caller at a time, and with one thread, which a fork leaves alive;
    as many are made as there are callers at once.
    """

    def __init__(self, name: str):
        """Read `pnet`, `rnet` or `onet`."""
        self._content = files("xcos_tf.data").joinpath(f"mtcnn/{name}.tflite").read_bytes()
        self._idle = [self._interpreter()]

    def __call__(self, images: np.ndarray) -> np.ndarray:
        """Run float32 (N, H, W, 3) RGB, 0 to 255, N being 1 for PNet.

        Returns:
            float32 (N, h, w, 5) of PNet, (N, 5) of RNet, (N, 15) of ONet: the log odds of a face,
            the offsets of a box's sides (4), and x, then y, of landmarks (10), in boxes' sides.
        """
        interpreter, image, output, shape = self._take(images.shape)
        if shape != images.shape:
            interpreter.resize_tensor_input(image, images.shape)
            interpreter.allocate_tensors()
        interpreter.set_tensor(image, images)
        interpreter.invoke()
        found = interpreter.get_tensor(output)
        self._idle.append((interpreter, image, output, images.shape))
        return found

    def _take(self, shape: tuple[int, ...]) -> tuple:
        """Return an interpreter that nobody uses, if possible one that is ready for the shape."""
        while True:
            idle = self._idle[:]
            ready = [x for x in idle if x[-1] == shape]
            if not ready and sum(math.prod(x[-1]) for x in idle) >= _KEPT:
                ready = idle  # of which the first has been idle for longest
            if not ready:
                return self._interpreter()
            try:
                self._idle.remove(ready[0])
                return ready[0]
            except ValueError:
                pass  # another thread was faster

    def _interpreter(self) -> tuple:
        """Return an interpreter, its input and output, and the shape that it is ready for."""
        from ai_edge_litert.interpreter import Interpreter

        with quiet_start():
            interpreter = Interpreter(model_content=self._content, num_threads=1)
            (image,), (output,) = interpreter.get_input_details(), interpreter.get_output_details()
            # The first delegate of a process announces itself.
            sides = (WINDOW if side < 0 else side for side in image["shape_signature"][1:3])
            shape = (1, *sides, 3)
            interpreter.resize_tensor_input(image["index"], shape)
            interpreter.allocate_tensors()
        return interpreter, image["index"], output["index"], shape


class Cascade:
    """Finds the faces of a photo. Each is computed on its own, so that company changes no bit."""

    def __init__(self):
        self._pnet, self._rnet, self._onet = map(Network, ("pnet", "rnet", "onet"))

    def find(self, photo: np.ndarray, run: Callable = map) -> np.ndarray:
        """Find the faces of a photo, down to 20 pixels.

        Args:
            photo: uint8 (H, W, 3) RGB.
            run: calls a function with each of some items, as `map` does.

        Returns:
            float32 (F, 15), most confident first: x1, y1, x2, y2 of the box, within the photo; the
            confidence, in (0.8, 1]; x, then y, of the five landmarks. In pixels, whose centres are
            whole numbers.
        """
        boxes = _squared(self._proposals(photo, run))
        if not len(boxes):
            return np.empty((0, 15), np.float32)
        odds, offsets, _ = _looked_at(self._rnet, photo, boxes, 24, run)
        boxes = _moved(boxes, offsets)
        boxes = _squared(boxes[_best(boxes, odds, _REFINED, 0.7)])
        if not len(boxes):
            return np.empty((0, 15), np.float32)
        odds, offsets, points = _looked_at(self._onet, photo, boxes, 48, run)
        points = points.reshape(-1, 2, 5) * _sides(boxes)[:, :, None] + boxes[:, :2, None] - 1
        boxes = _moved(boxes, offsets)
        best = _best(boxes, odds, _FOUND, 0.7, of_smaller=True)
        height, width = photo.shape[:2]
        return np.column_stack(
            [
                np.clip(boxes[best], 0, [width - 1, height - 1] * 2),
                1 / (1 + np.exp(-odds[best])),
                points[best].reshape(-1, 10),
            ]
        ).astype(np.float32)

    def _proposals(self, photo: np.ndarray, run: Callable) -> np.ndarray:
        """Return PNet's boxes, float32 (K, 4), of all copies of the photo."""
        pyramid = Pyramid(photo)

        def windows(strip: tuple[float, int]) -> tuple[np.ndarray, ...]:
            """Return scale, column, row and what PNet says of each window that may have a face."""
            scale, row = strip
            looks = self._pnet(pyramid.strip(scale, row)[None])[0]
            y, x = np.nonzero(looks[:, :, 0] > _as_log_odds(_PROPOSED))
            return np.full(len(y), scale), x * STRIDE, y * STRIDE + row, looks[y, x]

        found = [np.empty(0), *np.empty((2, 0), int), np.empty((0, 5), np.float32)]
        parts = zip(found, *run(windows, pyramid.strips()), strict=True)
        scales, x, y, looks = map(np.concatenate, parts)
        corner, odds = np.column_stack([x, y]), looks[:, 0]
        sides = np.concatenate([corner + 1, corner + WINDOW], axis=1)
        boxes = (sides + looks[:, 1:] * (WINDOW - 1)) / scales[:, None]
        boxes = boxes.astype(np.float32)
        copies = (np.flatnonzero(scales == scale) for scale in dict.fromkeys(scales))
        best = [copy[_best(boxes[copy], odds[copy], _PROPOSED, 0.5)] for copy in copies]
        best = np.concatenate([np.empty(0, int), *best])
        return boxes[best[_best(boxes[best], odds[best], _PROPOSED, 0.7)]]


def _looked_at(
    network: Network, photo: np.ndarray, boxes: np.ndarray, side: int, run: Callable
) -> list[np.ndarray]:
    """Return of K ≥ 1 boxes the log odds (K,), offsets (K, 4) and landmarks (K, 10 or 0)."""
    count = _CROP_PIXELS // side**2
    parts = [boxes[i : i + count] for i in range(0, len(boxes), count)]
    found = run(lambda part: network(crops(photo, part, side)), parts)
    odds, *rest = np.hsplit(np.concatenate(list(found)), [1, 5])
    return [odds[:, 0], *rest]


def _as_log_odds(probability: float) -> float:
    return float(np.log(probability / (1 - probability)))


def _sides(boxes: np.ndarray) -> np.ndarray:
    """Return width and height, (K, 2), of boxes whose corners are pixels within them."""
    return boxes[:, 2:] - boxes[:, :2] + 1


def _moved(boxes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Move each side of boxes (K, 4) by a share, (K, 4), of the box's width or height."""
    return boxes + offsets * np.tile(_sides(boxes), 2)


def _squared(boxes: np.ndarray) -> np.ndarray:
    """Lengthen the shorter sides of boxes (K, 4) about the centre."""
    sides = boxes[:, 2:] - boxes[:, :2]
    longest = sides.max(axis=1, keepdims=True, initial=-np.inf)
    low = boxes[:, :2] + (sides - longest) / 2
    return np.concatenate([low, low + longest], axis=1)


def _best(
    boxes: np.ndarray, odds: np.ndarray, least: float, overlap: float, of_smaller: bool = False
) -> np.ndarray:
    """Choose the boxes that overlap no likelier one.

    Args:
        boxes: (K, 4).
        odds: (K,), log odds that each is a face; of equal ones the first counts as likelier.
        least: the probability that a box must exceed.
        overlap: the most that two boxes may share, of their union or of the smaller.

    Returns:
        Their indices, likeliest first, `_MOST_WINDOWS` at most.
    """
    order = np.argsort(-odds, kind="stable")[:_MOST_WINDOWS]
    order = order[odds[order] > _as_log_odds(least)]
    x1, y1, x2, y2 = np.ascontiguousarray(boxes[order].T)
    area = (x2 - x1) * (y2 - y1)
    rank = np.arange(len(order))
    kept = rank >= 0
    for i in range(0, len(order), _COMPARED):
        those = slice(i, i + _COMPARED)
        width = np.minimum(x2[those, None], x2) - np.maximum(x1[those, None], x1)
        height = np.minimum(y2[those, None], y2) - np.maximum(y1[those, None], y1)
        shared = np.maximum(width, 0) * np.maximum(height, 0)
        one = area[those, None]
        whole = np.minimum(one, area) if of_smaller else one + area - shared
        # Also by one that is not kept itself, as in the package.
        kept &= ((shared <= overlap * whole) | (rank <= rank[those, None])).all(axis=0)
    return order[kept]


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
