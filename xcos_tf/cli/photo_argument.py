"""A photo on the command line: a path, or - for standard input."""

import sys
from typing import BinaryIO

from xcos_tf.cli.paths import STANDARD_INPUT


def photo_argument(text: str) -> str | BinaryIO:
    """Return what `read_photo` takes for an argument."""
    return sys.stdin.buffer if text == STANDARD_INPUT else text
