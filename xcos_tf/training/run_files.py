"""What a run says when its folder cannot be written."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import tensorflow as tf

from xcos_tf.errors import explained


@contextmanager
def writing(path: Path) -> Iterator[None]:
    """Turn the failures of a block that writes a file of a run into a sentence.

    Raises:
        XcosError: the disk is full, or the folder is gone or may not be written to.
    """
    advice = (
        "make sure that its folder can be and that the disk has room, and start the same command "
        "again"
    )
    with explained(f"{path} cannot be written", advice, (OSError, tf.errors.OpError)):
        yield
