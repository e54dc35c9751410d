"""MTCNN's cascade of three networks, run on one photo at a time.

K. Zhang et al., "Joint face detection and alignment using multitask cascaded convolutional
networks", IEEE Signal Processing Letters 23(10), 2016, as in the package `mtcnn`. What lies between
the networks is done here, since the package sorts boxes unstably, by a softmax that gives many of
them exactly 1.0: which of them was kept, and so where a face's landmarks were, depended on the
photos that shared a batch.
"""

import numpy as np

from xcos_tf.data.mtcnn_networks import load_networks

_SMALLEST_FACE = 20
_PYRAMID_STEP = 0.709
"""Each copy of the photo that PNet searches is smaller than the one before by this."""

_WINDOW = 12
_STRIDE = 2
"""Pixels: the side of what PNet looks at, and how far one look is from the next."""

_PROPOSED, _REFINED, _FOUND = 0.6, 0.7, 0.8
"""The probability that a window must exceed to pass PNet, RNet and ONet."""

_MOST_WINDOWS = 4096
"""As many pass PNet; photos have some hundred at most, a pattern made for it has a million."""


class Cascade:
    """Finds the faces of a photo. Each is computed on its own, so that company changes no bit."""

    def __init__(self):
        """Load the networks."""
        import tensorflow as tf

        pnet, rnet, onet = load_networks()

        def log_odds(logits):
            return logits[..., 1] - logits[..., 0]

        def crops(photo, boxes, side):
            height, width = tf.unstack(tf.cast(tf.shape(photo)[:2], tf.float32))
            corners = tf.gather(boxes, [1, 0, 3, 2], axis=1) / tf.stack([height, width] * 2)
            photo_indices = tf.zeros(tf.shape(boxes)[:1], tf.int32)
            return tf.image.crop_and_resize(photo[None], corners, photo_indices, [side, side])

        def windows(photo, size):
            copy = tf.image.resize(photo[None], size, method=tf.image.ResizeMethod.AREA)
            offsets, logits = pnet(copy)
            odds = log_odds(logits)[0]
            places = tf.where(odds > _as_log_odds(_PROPOSED))
            columns = (
                tf.cast(places, tf.float32),
                tf.gather_nd(offsets[0], places),
                tf.gather_nd(odds, places)[:, None],
            )
            return tf.concat(columns, axis=1)

        a_photo = tf.TensorSpec((None, None, 3), tf.float32)
        boxes_of_it = tf.TensorSpec((None, 4), tf.float32)

        @tf.function(input_signature=[a_photo, tf.TensorSpec((None, 2), tf.int32)])
        def propose(photo, sizes):
            with tf.device("CPU:0"):
                found = tf.map_fn(
                    lambda size: windows(photo, size),
                    sizes,
                    fn_output_signature=tf.RaggedTensorSpec((None, 7), ragged_rank=0),
                    parallel_iterations=4,
                )
                return found.values, found.row_splits

        @tf.function(input_signature=[a_photo, boxes_of_it])
        def refine(photo, boxes):
            with tf.device("CPU:0"):
                offsets, logits = rnet(crops(photo, boxes, 24))
                return offsets, log_odds(logits)

        @tf.function(input_signature=[a_photo, boxes_of_it])
        def finish(photo, boxes):
            with tf.device("CPU:0"):
                offsets, landmarks, logits = onet(crops(photo, boxes, 48))
                return offsets, landmarks, log_odds(logits)

        # Traced now, so that they are run as graphs even where a process runs functions eagerly.
        self._propose, self._refine, self._finish = (
            function.get_concrete_function() for function in (propose, refine, finish)
        )

    def find(self, photo: np.ndarray) -> np.ndarray:
        """Find the faces of a photo, down to 20 pixels.

        Args:
            photo: uint8 (H, W, 3) RGB.

        Returns:
            float32 (F, 15), most confident first: x1, y1, x2, y2 of the box, within the photo; the
            confidence, in (0.8, 1]; x, then y, of the five landmarks. In pixels, whose centres are
            whole numbers.
        """
        scaled = (photo.astype(np.float32) - 127.5) / 128
        boxes = _squared(self._proposals(scaled))
        if not len(boxes):
            return np.empty((0, 15), np.float32)
        offsets, odds = (x.numpy() for x in self._refine(scaled, boxes))
        boxes = _moved(boxes, offsets)
        boxes = _squared(boxes[_best(boxes, odds, _REFINED, 0.7)])
        if not len(boxes):
            return np.empty((0, 15), np.float32)
        offsets, points, odds = (x.numpy() for x in self._finish(scaled, boxes))
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

    def _proposals(self, photo: np.ndarray) -> np.ndarray:
        """Return PNet's boxes, float32 (K, 4), of all copies of the photo."""
        size = np.array(photo.shape[:2])
        scales = _scales(size.min())
        if not len(scales):
            return np.empty((0, 4), np.float32)
        rows, ends = self._propose(photo, (scales[:, None] * size).astype(np.int32))
        boxes, odds = [], []
        for scale, found in zip(scales, np.split(rows.numpy(), ends.numpy()[1:-1]), strict=True):
            corner = found[:, 1::-1] * _STRIDE
            windows = np.concatenate([corner + 1, corner + _WINDOW], axis=1)
            windows = ((windows + found[:, 2:6] * (_WINDOW - 1)) / scale).astype(np.float32)
            best = _best(windows, found[:, 6], _PROPOSED, 0.5)
            boxes.append(windows[best])
            odds.append(found[best, 6])
        boxes, odds = np.concatenate(boxes), np.concatenate(odds)
        return boxes[_best(boxes, odds, _PROPOSED, 0.7)]


def _scales(shorter_side: int) -> np.ndarray:
    """Return the scales of the pyramid; none if even its first copy is less than a window."""
    count = round(-np.log(shorter_side / _WINDOW) / np.log(_PYRAMID_STEP) - 1)
    return _WINDOW / _SMALLEST_FACE * _PYRAMID_STEP ** np.arange(max(count, 0))


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
    low, high = boxes[order, None, :2], boxes[order, None, 2:]
    area = (high - low).prod(axis=2)
    kept = np.ones(len(order), bool)
    for i in range(len(order) - 1):
        sides = np.minimum(high[i], high[i + 1 :, 0]) - np.maximum(low[i], low[i + 1 :, 0])
        shared = np.maximum(sides, 0).prod(axis=1)
        rest = area[i + 1 :, 0]
        whole = np.minimum(area[i], rest) if of_smaller else area[i] + rest - shared
        kept[i + 1 :] &= shared <= overlap * whole
    return order[kept]
