"""Asking a verifier what it makes of faces that were changed, whatever changed them."""

import numpy as np

from xcos_tf.runtime.loading import has_gpu
from xcos_tf.verifier import Verifier

CELLS = 7  # along a side, as in the paper's grid: 16×16 pixels each of a 112×112 face


def batch_size() -> int:
    """Return how many faces to put through a backbone at a time.

    A CPU is fastest while what a layer makes of them stays in its cache.
    """
    return 128 if has_gpu() else 8


def embed_all(verifier: Verifier, faces: np.ndarray) -> np.ndarray:
    """Return the features of any number of faces, `batch_size` through the backbone at a time.

    Args:
        verifier: anything with `embed`, as `Verifier`.
        faces: uint8 (N, h, w, 3) RGB; N may be 0.
    """
    size = batch_size()
    starts = range(0, max(1, len(faces)), size)
    return np.concatenate([verifier.embed(faces[start : start + size]) for start in starts])


def scores_of_variants(
    verifier: Verifier, variants_a: np.ndarray, variants_b: np.ndarray
) -> np.ndarray:
    """Score variants of one face with the other face as it is.

    Args:
        verifier: anything with `embed` and `compare_pairs`, as `Verifier`.
        variants_a: uint8 (N, h, w, 3), or (1, h, w, 3) where B is what varies.
        variants_b: likewise.

    Returns:
        float64 (N,).
    """
    features = [embed_all(verifier, variants) for variants in (variants_a, variants_b)]
    count = max(len(x) for x in features)
    pair = [np.broadcast_to(x, (count, *x.shape[1:])) for x in features]
    return np.asarray(verifier.compare_pairs(*pair), np.float64)


def cover(face: np.ndarray, masks: np.ndarray, fill: np.ndarray | int) -> np.ndarray:
    """Return copies of a face, each with other pixels covered.

    Args:
        face: uint8 (h, w, 3).
        masks: bool (N, h, w), true where covered.
        fill: uint8 (h, w, 3), what is put there, or one grey value.

    Returns:
        uint8 (N, h, w, 3).
    """
    return np.where(masks[..., np.newaxis], np.asarray(fill, np.uint8), face)


def square_masks(side: int, patch: int, stride: int) -> np.ndarray:
    """Return masks of one square each, row by row, which cover a face of `side` × `side` pixels.

    Returns:
        bool (N, side, side), N = ((side − patch) // stride + 1)².
    """
    starts = range(0, side - patch + 1, stride)
    masks = np.zeros((len(starts) ** 2, side, side), bool)
    for mask, (top, left) in zip(masks, ((y, x) for y in starts for x in starts), strict=True):
        mask[top : top + patch, left : left + patch] = True
    return masks


def scaled(values: np.ndarray) -> np.ndarray:
    """Return a map as `Explanation` wants it: float32, its greatest absolute value 1, or all 0."""
    greatest = np.abs(values).max()
    return (values / greatest if greatest > 0 else np.zeros_like(values)).astype(np.float32)
