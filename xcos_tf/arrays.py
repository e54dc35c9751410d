"""Arrays and files of them, whoever made them."""

import os
import warnings
import zipfile
from typing import BinaryIO

import numpy as np

from xcos_tf.files import open_regular


def unit_length(vectors: np.ndarray) -> np.ndarray:
    """Return float (..., c) with each vector scaled to unit length, however short it is.

    An all-zero vector stays zero, so that its cosine with anything is 0 and never NaN. Networks
    have the same in TensorFlow, see `xcos_tf.models.normalisation`.
    """
    with np.errstate(all="ignore"):  # whatever the process has set
        # The squares of a very short vector would underflow.
        largest = np.abs(vectors).max(axis=-1, keepdims=True, initial=0.0)
        scaled = np.divide(vectors, largest, out=np.zeros_like(vectors), where=largest > 0)
        return scaled / np.maximum(np.linalg.norm(scaled, axis=-1, keepdims=True), 1.0)


def read_npz(source: str | os.PathLike | BinaryIO, largest: int) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file or stream of one, none of which holds objects.

    All of it may take `largest` bytes when it is unpacked.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, something else, or larger.
    """
    if isinstance(source, (str, os.PathLike)):
        with open_regular(source) as stream:
            return read_npz(stream, largest)
    try:
        with zipfile.ZipFile(source) as file:
            if sum(entry.file_size for entry in file.infolist()) > largest:
                raise ValueError("it is larger than it may be")
        source.seek(0)
        with warnings.catch_warnings(), np.load(source, allow_pickle=False) as arrays:
            warnings.simplefilter("error")  # of a file as Python 2 wrote them
            found = dict(arrays)
    except (OSError, ValueError):
        raise
    except Exception as error:  # zipfile and NumPy raise any kind
        raise ValueError(str(error) or type(error).__name__) from None
    if not all(isinstance(array, np.ndarray) for array in found.values()):
        raise ValueError("it holds something besides arrays")
    return found
