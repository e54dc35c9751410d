"""Small files that are either whole or not there."""

import contextlib
import csv
import errno
import fcntl
import hashlib
import io
import json
import math
import os
import secrets
import select
import stat
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import BinaryIO

from xcos_tf.errors import XcosError, reason_of, shown

LEFTOVER = ".xcos-"
"""What names of files begin with that are not complete yet."""

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC

LARGEST_JSON = 16 * 2**20
DEEPEST_JSON = 32
"""Lists and objects within one another."""


class WriteError(XcosError, OSError):
    """A file that could not be written, in one sentence; `strerror` has the reason alone."""

    __str__ = Exception.__str__  # the sentence, which OSError would leave out


def replace_file(path: Path, write: Callable[[BinaryIO], object], mode: int = 0o666) -> None:
    """Write a file that is either complete and on disk or not there; every file of ours is.

    It comes to be under a random name of the same folder, which is then its own: a link, a pipe or
    a file that someone planted is neither followed nor opened nor changed.

    Args:
        path: of the file.
        write: called with a binary stream, which hides its descriptor, since Pillow and NumPy would
            write to that themselves and let a full disk pass.
        mode: who may do what with it, less the process's umask.

    Raises:
        WriteError: it cannot be written; what was there before is as it was. Also an OSError.
    """
    path = Path(path)
    part = path.with_name(f"{LEFTOVER}{secrets.token_hex(8)}.part")
    try:
        descriptor = os.open(part, _NEW_FILE, mode)
        try:
            with _Written(io.FileIO(descriptor, "wb")) as stream:
                write(stream)
                stream.flush()
                if os.fstat(descriptor).st_size != stream.size:
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
                os.fsync(descriptor)
            os.replace(part, path)
        except BaseException:
            with contextlib.suppress(OSError):
                part.unlink()
            raise
    except OSError as error:
        told = WriteError(
            f"{shown(path)} cannot be written ({reason_of(error)}); free some space, or choose "
            "another place or name"
        )
        told.strerror, told.errno = reason_of(error), error.errno
        raise told from None


@contextlib.contextmanager
def only_writer(folder: Path, command: str) -> Iterator[None]:
    """Let one process at a time write to a folder, made if missing, until it ends in any way.

    What a killed one was writing is removed first. `command` is for the sentence.

    Raises:
        XcosError: another is writing.
        OSError: it cannot be made or opened.
    """
    folder.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise XcosError(
            f"another `{command}` is writing to {shown(folder)}; wait for it or stop it"
        ) from None
    except OSError:
        pass  # a file system without locks
    try:
        for around, _, names in os.walk(folder):
            for name in names:
                if name.startswith(LEFTOVER) and name.endswith(".part"):
                    with contextlib.suppress(OSError):
                        os.unlink(os.path.join(around, name))
        yield
    finally:
        os.close(descriptor)


class _Written(io.BufferedWriter):
    """A file that counts how long it must be, and keeps its descriptor to itself."""

    size = 0

    def write(self, data) -> int:
        count = super().write(data)
        self.size = max(self.size, self.tell())
        return count

    def fileno(self) -> int:
        raise io.UnsupportedOperation("fileno")


def check_readable(path: str, missing: str, advice: str | None = None, pipe: bool = False) -> None:
    """Refuse what cannot be read to an end, without opening it: a pipe's other end may never come.

    Args:
        path: of a file, or of a folder where there is no `advice`.
        missing: sentence for when there is none, with {} where the path goes.
        advice: what to give instead of a folder.
        pipe: whether it may be one, as `read_pipe` reads.

    Raises:
        XcosError: there is none, it is a pipe, a device or a folder, or may not be read.
    """
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        raise XcosError(missing.format(shown(path) or repr(path))) from None
    except PermissionError:
        raise XcosError(f"{shown(path)} may not be read; change its permissions") from None
    except (OSError, ValueError) as error:  # too long, a loop of links, a null byte, a failing disk
        raise XcosError(
            f"{shown(path)!r} cannot be read ({reason_of(error)}); check the path"
        ) from None
    if stat.S_ISDIR(mode):
        if advice:
            raise XcosError(f"{shown(path)} is a folder; {advice}")
    elif not (stat.S_ISREG(mode) or (pipe and stat.S_ISFIFO(mode))):
        raise XcosError(
            f"{shown(path)} is not a regular file; {advice or 'give a file or a folder'}"
        )
    if not os.access(path, os.R_OK):
        raise XcosError(f"{shown(path)} may not be read; change its permissions")


def check_photo_file(path: str | os.PathLike) -> str:
    """Return the path of a file that may be a photo, which is not read.

    Raises:
        XcosError: as by `check_readable`, or it is empty.
    """
    given = os.fsdecode(path)
    check_readable(given, "there is no file {}; check the path", "give a photo file")
    if os.stat(given).st_size == 0:
        raise XcosError(f"{shown(given)} is empty (0 bytes); copy or download it again")
    return given


class NotRegularError(OSError):
    """A pipe or a device where a file should be."""


def open_regular(path: str | os.PathLike) -> BinaryIO:
    """Open a file to read bytes of it, without waiting for the other end of what may be a pipe.

    Raises:
        OSError: it cannot be opened; NotRegularError, which is one, if it is no file.
        ValueError: there is a NUL in the path.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    mode = os.fstat(descriptor).st_mode
    if stat.S_ISREG(mode):
        return open(descriptor, "rb")
    os.close(descriptor)
    if stat.S_ISDIR(mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), os.fsdecode(path))
    raise NotRegularError(errno.EINVAL, "it is not a regular file", os.fsdecode(path))


def read_bytes(path: str | os.PathLike) -> bytes:
    """Return what is in a file; raises as `open_regular` does."""
    with open_regular(path) as stream:
        return stream.read()


def read_pipe(path: str | os.PathLike, longest: int, patience: float, line: bool = False) -> bytes:
    """Return the first `longest` bytes of a file, or of a pipe such as /dev/stdin.

    They, or the end, or that of the first line where it alone is wanted, must come within
    `patience`, seconds.

    Raises:
        OSError: it cannot be read; TimeoutError, which is one, if the end does not come.
        ValueError: there is a NUL in the path.
    """
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        content, end = b"", time.monotonic() + patience
        while len(content) < longest and not (line and b"\n" in content):
            left = end - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                what = "no line" if line else "no end"
                raise TimeoutError(errno.ETIMEDOUT, f"{what} came in {patience:g} seconds")
            piece = os.read(descriptor, min(longest - len(content), 2**20))
            if not piece:
                break
            content += piece
    finally:
        os.close(descriptor)
    return content.split(b"\n")[0] if line else content


def file_sha256(path: str | os.PathLike) -> "hashlib._Hash":
    """Return the SHA-256 of a file, read in parts; raises as `open_regular` does."""
    digest = hashlib.sha256()
    with open_regular(path) as stream:
        while block := stream.read(2**20):
            digest.update(block)
    return digest


def read_file(
    path: str | os.PathLike, limit: int, what: str, advice: str = "get it again"
) -> bytes:
    """Return the content of a regular file of at most `limit` bytes, read once and never in part.

    `what` it is, such as "the configuration", begins the error's sentence, and `advice` ends it.

    Raises:
        XcosError: it is not there, cannot be read, is a device, a pipe or a folder, or is larger.
    """
    name = shown(os.fsdecode(path))
    try:
        with open_regular(path) as stream:
            content = b""
            # At once, Python would take the memory for as much as there may be.
            while len(content) <= limit and (piece := stream.read(2**20 + len(content))):
                content += piece
    except FileNotFoundError:
        raise XcosError(f"{what} {name} is missing; {advice}") from None
    except NotRegularError:
        raise XcosError(f"{what} {name} is not a regular file; {advice}") from None
    except (OSError, ValueError) as error:  # ValueError: a NUL in the path
        raise XcosError(f"{what} {name} cannot be read ({reason_of(error)}); {advice}") from None
    if len(content) > limit:
        raise XcosError(f"{what} {name} is larger than the {limit} bytes allowed; {advice}")
    return content


def read_json(
    path: str | os.PathLike, what: str, advice: str = "get it again", limit: int = LARGEST_JSON
):
    """Return what a JSON file of ours holds; see `read_file` and `parse_json`."""
    return parse_json(
        read_file(path, limit, what, advice), f"{what} {shown(os.fsdecode(path))}", advice
    )


def parse_json(content: bytes, what: str, advice: str = "get it again"):
    """Return what JSON in UTF-8 holds.

    Whoever made it, it takes little time and memory, and every number is finite. `what` and
    `advice` are as those of `read_file`.

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


def _check_depth(outer, left: int = DEEPEST_JSON) -> None:
    if isinstance(outer, (list, dict)):
        if not left:
            raise RecursionError
        for inner in outer.values() if isinstance(outer, dict) else outer:
            _check_depth(inner, left - 1)


def write_json(path: Path, content) -> None:
    """Write JSON in ASCII, which keeps names that are not valid UTF-8."""
    text = json.dumps(content, indent=1) + "\n"
    replace_file(path, lambda stream: stream.write(text.encode("ascii")))


def write_csv(path: Path, heading: Iterable[str], rows: Iterable[Iterable]) -> None:
    """Write a table, row by row."""

    def write(stream: BinaryIO) -> None:
        text = io.TextIOWrapper(stream, "utf-8", "surrogateescape", newline="", write_through=True)
        csv.writer(text).writerow(heading)
        csv.writer(text).writerows(rows)
        text.detach()

    replace_file(path, write)


def whole_rows(path: Path) -> Iterator[list[str]]:
    """Yield the rows of a table that `write_csv` began and others were added to; none if it is new.

    The last one is left out if it was cut short, as by a kill. Rows end in \\r\\n, unlike lines
    within a quoted cell.

    Raises:
        csv.Error: a cell is longer than any of ours.
    """
    try:
        text = read_bytes(path).decode("utf-8", "surrogateescape")
    except FileNotFoundError:
        return
    whole = text[: text.rfind("\r\n") + 2] if "\r\n" in text else ""
    yield from csv.reader(io.StringIO(whole, newline=""))


def check_can_write(path: Path, within: Path) -> None:
    """Fail before the work rather than after it, where a folder could not be written.

    Raises:
        XcosError: `within`, or the nearest folder around it that exists, is not writable.
    """
    around = within.absolute()
    while not around.exists():
        around = around.parent
    if not around.is_dir() or not os.access(around, os.W_OK | os.X_OK):
        raise XcosError(
            f"{shown(path)} cannot be written; choose another folder or change the permissions of "
            f"{shown(around)}"
        )
