"""Turning a face upright onto the standard template, from its five landmarks."""

import os

import numpy as np
from PIL import Image

from xcos_tf.errors import XcosError

FACE_SIZE = 112

TEMPLATE_LANDMARKS = np.array(
    [
        [38.2946, 51.6963],  # eye on the left of the image
        [73.5318, 51.5014],  # eye on the right
        [56.0252, 71.7366],  # tip of the nose
        [41.5493, 92.3655],  # corner of the mouth on the left
        [70.7299, 92.2041],  # corner of the mouth on the right
    ],
    dtype=np.float32,
)
"""float32 (5, 2): x, y in pixels of a 112×112 face, pixel centres at whole numbers.

From ArcFace (Deng et al., CVPR 2019), as are all the faces that xCos is trained and tested on.
"""


def similarity_transform(source: np.ndarray, target: np.ndarray) -> np.ndarray:
    """Return the rotation, uniform scale and shift that bring points `source` nearest to `target`.

    Least squares, without reflection: S. Umeyama, "Least-squares estimation of transformation
    parameters between two point patterns", IEEE TPAMI 13(4), 1991, Eq. 40–42. Both are (N, 2), and
    N ≥ 2.

    Returns:
        float64 (2, 3), M, such that target ≈ M[:, :2] @ source + M[:, 2].

    Raises:
        ValueError: the shapes differ, or the points of `source` coincide or are not finite.
    """
    source, target = np.asarray(source, np.float64), np.asarray(target, np.float64)
    if source.shape != target.shape or source.ndim != 2 or source.shape[1] != 2:
        raise ValueError(
            "Expected two arrays of the same shape (N, 2). "
            f"Received: source.shape={source.shape}, target.shape={target.shape}"
        )
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    source_centred, target_centred = source - source_mean, target - target_mean
    variance = np.square(source_centred).sum()
    if not variance > 0 or not np.isfinite(variance):
        raise ValueError(
            f"Expected at least two distinct, finite points. Received: source={source.tolist()}"
        )
    u, singular, vt = np.linalg.svd(target_centred.T @ source_centred)
    # The last axis is turned over where the best orthogonal matrix would be a reflection.
    signs = np.array([1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * signs) @ vt
    linear = rotation * (singular @ signs / variance)
    return np.column_stack([linear, target_mean - linear @ source_mean])


def check_aligned(
    photo: np.ndarray,
    name: str | os.PathLike,
    advice: str = "run `xcos align` first, and give the folder that it made",
) -> None:
    """Make sure that a photo, (H, W, 3), has the size of an aligned face.

    Raises:
        XcosError: it has not; the sentence has its name and the advice.
    """
    if photo.shape[:2] != (FACE_SIZE, FACE_SIZE):
        raise XcosError(f"{name} is not a {FACE_SIZE}×{FACE_SIZE} face; {advice}")


def warp_face(photo: np.ndarray, landmarks: np.ndarray, size: int = FACE_SIZE) -> np.ndarray:
    """Cut a face out of a photo so that its landmarks come to lie on the template's.

    Bilinear, pixel centres at whole numbers (the convention of OpenCV's `warpAffine`, with which
    the customary training faces were made). A face that is at least twice as large as `size` is
    first averaged down by a whole factor, which keeps fine texture from turning into noise.

    Args:
        photo: uint8 (H, W, 3) RGB.
        landmarks: (5, 2), x and y in pixels of the photo, in the order of `TEMPLATE_LANDMARKS`.
        size: side of the square face in pixels.

    Returns:
        uint8 (size, size, 3) RGB; black where the face reaches beyond the photo.
    """
    template = (TEMPLATE_LANDMARKS.astype(np.float64) + 0.5) * (size / FACE_SIZE) - 0.5
    landmarks = np.asarray(landmarks, np.float64)
    back = similarity_transform(template, landmarks)
    box, factor = _source_box(back, size, photo.shape)
    left, top, right, bottom = box
    image = Image.fromarray(np.ascontiguousarray(photo[top:bottom, left:right]))
    if factor > 1:
        image = image.reduce(factor)
    # From pixels of the photo to pixels of what was cut out and averaged down.
    back[:, 2] = (back[:, 2] - [left, top] - (factor - 1) / 2) / factor
    back[:, :2] /= factor
    # Pillow puts pixel centres at halves: it evaluates at (x + ½, y + ½) and takes off ½ again.
    back[:, 2] += 0.5 - back[:, :2].sum(axis=1) / 2
    # In bytes Pillow would cut fractions off, which darkens; as floats they can be rounded.
    bands = [
        band.convert("F").transform(
            (size, size), Image.Transform.AFFINE, back.ravel().tolist(), Image.Resampling.BILINEAR
        )
        for band in image.split()
    ]
    return np.stack(bands, axis=-1).round().astype(np.uint8)


def _source_box(back: np.ndarray, size: int, shape: tuple[int, ...]):
    """Return the box (left, top, right, bottom) of the photo to work on, and the factor to reduce.

    Cutting first keeps the work in proportion to the face, not to the photo.
    """
    # The small term is for scales that are whole but for rounding errors.
    factor = max(1, int(np.sqrt(abs(np.linalg.det(back[:, :2]))) + 1e-6))
    corners = np.array([[0, 0], [size, 0], [0, size], [size, size]]) @ back[:, :2].T + back[:, 2]
    limits = np.array([shape[1], shape[0]])
    # Begins where the outermost pixel of an upright face does, so that averages match its pixels.
    first = np.round(corners.min(axis=0) - (factor - 1) / 2).astype(int)
    # Not empty even where the face lies wholly outside.
    low = np.clip(first - 2 * factor, 0, limits - 1)
    high = np.clip(np.ceil(corners.max(axis=0)).astype(int) + 2 * factor, low + 1, limits)
    return (*low.tolist(), *high.tolist()), factor
