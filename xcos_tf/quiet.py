"""What libraries say of themselves from C++, kept off the terminal."""

import contextlib
import os
import sys
from collections.abc import Iterator

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
"""The variable that says what TensorFlow and LiteRT may print; at 3 nothing but failures."""


@contextlib.contextmanager
def quiet_start() -> Iterator[None]:
    """Keep back what TensorFlow and LiteRT print while they start, where the level is 3.

    Some of it is written before they look at the level, hence the file descriptor.
    """
    if os.environ.get(LEVEL) != "3":
        yield
        return
    if sys.stderr is not None:
        sys.stderr.flush()
    kept = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(kept, 2)
        os.close(kept)
        os.close(nowhere)
