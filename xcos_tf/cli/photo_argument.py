"""A photo on the command line: a path, or - for standard input."""

import sys
from typing import BinaryIO

from xcos_tf.cli.paths import STANDARD_INPUT
from xcos_tf.errors import XcosError


def photo_argument(text: str) -> str | BinaryIO:
    """Return what `read_photo` takes for an argument.

    Raises:
        XcosError: it is - and there is no standard input.
    """
    if text != STANDARD_INPUT:
        return text
    stream = getattr(sys.stdin, "buffer", None)
    if stream is None:
        raise XcosError("there is no standard input to read a photo from; give a file")
    return stream
