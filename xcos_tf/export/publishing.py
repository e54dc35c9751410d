"""Folders that are either whole or not there."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path


@contextlib.contextmanager
def published_folder(path: Path) -> Iterator[Path]:
    """Yield a hidden folder beside `path` to write into, which becomes `path` in the end.

    If the writing fails the hidden folder is removed; if the process is killed it stays, hidden.

    Raises:
        OSError: `path` is there already (unless it is an empty folder), or cannot be written.
    """
    hidden = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield hidden
        hidden.chmod(0o755)
        for folder, _, names in os.walk(hidden):
            for entry in (folder, *(os.path.join(folder, name) for name in names)):
                _flush(entry)
        os.rename(hidden, path)
        _flush(path.parent)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise


def _flush(path: str | os.PathLike) -> None:
    """Put a file or a folder's list of files onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
