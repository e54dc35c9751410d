"""Photos on the command line: their arguments, and what is said of their faces."""

import argparse
import sys
from typing import BinaryIO

from xcos_tf.cli.paths import STANDARD_INPUT
from xcos_tf.errors import XcosError
from xcos_tf.progress import log


def add_two_photos(parser: argparse.ArgumentParser) -> None:
    """Attach A and B."""
    parser.add_argument("a", metavar="A", help="a photo; - for standard input")
    parser.add_argument("b", metavar="B", help="another photo")


def add_face_arguments(parser: argparse.ArgumentParser) -> None:
    """Attach the options that say where the face is in a photo."""
    parser.add_argument(
        "--face",
        default="largest-central",
        metavar="RULE",
        help="which face of a photo with several (default: %(default)s; see `xcos align --help`)",
    )
    parser.add_argument(
        "--aligned", action="store_true", help="the photos are 112×112 faces, aligned already"
    )


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


def warn_of_faces(args: argparse.Namespace, templates) -> None:
    """Say on standard error which of several faces in A and B was used, and which was turned."""
    for path, template in zip((args.a, args.b), templates, strict=True):
        if template.faces_found > 1:
            log.warning(
                f"warning: {path} shows {template.faces_found} faces; the {args.face} one was used "
                "(choose with --face)"
            )
        if template.turned:
            log.warning(
                f"warning: {path} was turned by {template.turned}° clockwise to have its face "
                "upright"
            )
