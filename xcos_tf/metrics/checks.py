"""Scores and labels of pairs, checked before anything is measured of them."""

import numpy as np

from xcos_tf.errors import XcosError


def split(scores: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the scores of genuine and of impostor pairs, float64, neither empty.

    Raises:
        XcosError: the pairs are of one kind only.
        ValueError: shapes or types are wrong, or a score is not finite.
    """
    scores, same = check_pairs(scores, same)
    if same.all() or not same.any():
        raise XcosError(
            f"the pairs are all {'genuine' if same[0] else 'impostor'}; error rates need both kinds"
        )
    return scores[same], scores[~same]


def check_pairs(scores: np.ndarray, same: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return scores as float64, which holds any narrower float exactly, and same as bool.

    Raises:
        ValueError: shapes or types are wrong, or a score is not finite.
    """
    scores = check_scores(scores, "scores").astype(np.float64)
    same = np.asarray(same)
    if same.shape != scores.shape or not np.isin(same, (0, 1)).all():
        raise ValueError(
            f"Expected same to be booleans of shape {scores.shape}. "
            f"Received: same.dtype={same.dtype}, same.shape={same.shape}"
        )
    return scores, same.astype(bool)


def check_scores(scores: np.ndarray, name: str) -> np.ndarray:
    """Return scores as floats of shape (P,), P ≥ 1; `name` is for the error.

    Raises:
        ValueError: the shape is wrong, or a score is not finite.
    """
    scores = np.asarray(scores)
    if not np.issubdtype(scores.dtype, np.floating):
        scores = scores.astype(np.float64)
    if scores.ndim != 1 or not scores.size:
        raise ValueError(f"Expected {name} of shape (P,), P ≥ 1. Received: shape={scores.shape}")
    if not np.isfinite(scores).all():
        raise ValueError(
            f"Expected finite {name}. Received: {np.sum(~np.isfinite(scores))} of {len(scores)} "
            "NaN or infinite"
        )
    return scores
