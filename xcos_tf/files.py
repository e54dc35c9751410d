"""Small files that are either whole or not there."""

import contextlib
import csv
import json
import os
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from xcos_tf.errors import XcosError


def replace_file(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file that is either complete and on disk or not there.

    Args:
        path: of the file.
        write: called with a binary stream.

    Raises:
        OSError: it cannot be written; what was there before is as it was.
    """
    part = path.with_name(f".{path.name}.part")
    try:
        with open(part, "wb") as stream:
            write(stream)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(part, path)
    except BaseException:
        with contextlib.suppress(OSError):  # it could not be made
            part.unlink()
        raise


def write_json(path: Path, content) -> None:
    """Write JSON in ASCII, which keeps names that are not valid UTF-8."""
    text = json.dumps(content, indent=1) + "\n"
    replace_file(path, lambda stream: stream.write(text.encode("ascii")))


def write_csv(path: Path, heading: Iterable[str], rows: Iterable[Iterable]) -> None:
    """Write a table, row by row."""
    part = path.with_name(f".{path.name}.part")
    with open(part, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
        csv.writer(stream).writerows([heading])
        csv.writer(stream).writerows(rows)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, path)


def check_can_write(path: Path, within: Path) -> None:
    """Fail before the work rather than after it, where a folder could not be written.

    Args:
        path: of the folder to be.
        within: where it, or the nearest folder around it that exists, must be writable.

    Raises:
        XcosError: it is not.
    """
    around = within.absolute()
    while not around.exists():
        around = around.parent
    if not around.is_dir() or not os.access(around, os.W_OK | os.X_OK):
        raise XcosError(
            f"{path} cannot be written; choose another folder or change the permissions of {around}"
        )
