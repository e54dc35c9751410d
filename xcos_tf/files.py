"""Small files that are either whole or not there."""

import contextlib
import csv
import json
import math
import os
import stat
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO

from xcos_tf.errors import XcosError

LARGEST_JSON = 16 * 2**20
DEEPEST_JSON = 32
"""Lists and objects within one another."""


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


def read_file(
    path: str | os.PathLike, limit: int, what: str, advice: str = "get it again"
) -> bytes:
    """Return the content of a regular file, which is read once and never in part.

    Args:
        path: of the file.
        limit: bytes that it may have.
        what: it is, for the error's sentence, such as "the configuration".
        advice: what to do where it cannot be used.

    Raises:
        XcosError: it is not there, cannot be read, is a device, a pipe or a folder, or is larger.
    """
    name = os.fsdecode(path)
    try:
        # Without waiting, in which opening a pipe would end otherwise.
        with open(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb") as stream:
            if not stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
                raise XcosError(f"{what} {name} is not a regular file; {advice}")
            content = b""
            # At once, Python would take the memory for as much as there may be.
            while len(content) <= limit and (piece := stream.read(2**20 + len(content))):
                content += piece
    except FileNotFoundError:
        raise XcosError(f"{what} {name} is missing; {advice}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        reason = getattr(error, "strerror", None) or error
        raise XcosError(f"{what} {name} cannot be read ({reason}); {advice}") from None
    if len(content) > limit:
        raise XcosError(f"{what} {name} is larger than the {limit} bytes allowed; {advice}")
    return content


def read_json(
    path: str | os.PathLike, what: str, advice: str = "get it again", limit: int = LARGEST_JSON
):
    """Return what a JSON file of ours holds; see `read_file` and `parse_json`."""
    return parse_json(read_file(path, limit, what, advice), f"{what} {os.fsdecode(path)}", advice)


def parse_json(content: bytes, what: str, advice: str = "get it again"):
    """Return what JSON in UTF-8 holds.

    Whoever made it, it takes little time and memory, and every number is finite.

    Args:
        content: the text.
        what: it is, for the error's sentence.
        advice: what to do where it cannot be used.

    Raises:
        XcosError: it is not JSON, is nested too deeply, or holds NaN, infinity, or a whole number
            of more than 64 bits.
    """
    try:
        found = json.loads(
            content.decode("utf-8-sig"),
            parse_constant=_not_finite,
            parse_float=_finite,
            parse_int=_within_64_bits,
        )
        _check_depth(found)
    except RecursionError:
        raise XcosError(f"{what} is damaged (nested too deeply); {advice}") from None
    except ValueError as error:
        raise XcosError(f"{what} is damaged (not proper JSON: {error}); {advice}") from None
    return found


def _not_finite(text: str):
    raise ValueError(f"the number {text[:20]} is not finite")


def _finite(text: str) -> float:
    value = float(text)
    return value if math.isfinite(value) else _not_finite(text)


def _within_64_bits(text: str) -> int:
    if len(text) > 20 or not -(2**63) <= int(text) < 2**64:
        raise ValueError(f"the number {text[:20]} is too large")
    return int(text)


def _check_depth(found) -> None:
    level = [found]
    for _ in range(DEEPEST_JSON + 1):
        level = [outer for outer in level if isinstance(outer, (list, dict))]
        if not level:
            return
        level = [
            inner
            for outer in level
            for inner in (outer.values() if isinstance(outer, dict) else outer)
        ]
    raise RecursionError


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
