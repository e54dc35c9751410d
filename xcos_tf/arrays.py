"""Reading files of arrays, whoever made them."""

import os
import zipfile
from typing import BinaryIO

import numpy as np


def read_npz(source: str | os.PathLike | BinaryIO, largest: int) -> dict[str, np.ndarray]:
    """Return the arrays of an .npz file, none of which holds objects.

    Args:
        source: path or stream.
        largest: bytes that all of it may take when it is unpacked.

    Raises:
        OSError: it cannot be read.
        ValueError: it is damaged, something else, or larger.
    """
    try:
        with zipfile.ZipFile(source) as file:
            if sum(entry.file_size for entry in file.infolist()) > largest:
                raise ValueError("it is larger than it may be")
        with np.load(source, allow_pickle=False) as arrays:
            found = dict(arrays)
    except (OSError, ValueError):
        raise
    except Exception as error:  # zipfile and NumPy raise any kind
        raise ValueError(str(error) or type(error).__name__) from None
    if not all(isinstance(array, np.ndarray) for array in found.values()):
        raise ValueError("it holds something besides arrays")
    return found
