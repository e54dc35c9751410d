"""TensorFlow's start-up notices, kept off the terminal."""

import contextlib
import os
import sys
from collections.abc import Iterator

LEVEL = "TF_CPP_MIN_LOG_LEVEL"


@contextlib.contextmanager
def silent_standard_error() -> Iterator[None]:
    """Send what any library writes to file descriptor 2 to nowhere for a while."""
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


def import_tensorflow() -> None:
    """Import TensorFlow without its notices, unless the user set TF_CPP_MIN_LOG_LEVEL.

    Some are written before TensorFlow looks at its log level, hence the file descriptor.
    """
    if LEVEL in os.environ:
        return
    os.environ[LEVEL] = "3"
    with silent_standard_error():
        import tensorflow  # noqa: F401
