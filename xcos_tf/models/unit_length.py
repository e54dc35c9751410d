"""Vectors at unit length in NumPy, as `xcos_tf.models.similarity.unit_length` makes them."""

import numpy as np


def unit_length(vectors: np.ndarray) -> np.ndarray:
    """Return float (..., c) with each vector scaled to unit length, however short it is.

    An all-zero vector stays zero, so that its cosine with anything is 0 and never NaN.
    """
    with np.errstate(all="ignore"):  # whatever the process has set
        # The squares of a very short vector would underflow.
        largest = np.abs(vectors).max(axis=-1, keepdims=True, initial=0.0)
        scaled = np.divide(vectors, largest, out=np.zeros_like(vectors), where=largest > 0)
        return scaled / np.maximum(np.linalg.norm(scaled, axis=-1, keepdims=True), 1.0)
