"""Models and their versions in a folder that TF Serving reads."""

import re
from pathlib import Path

from xcos_tf.errors import XcosError

LARGEST = 2**63 - 1

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")


def check_name(name: str) -> str:
    """Return a model's name, which is a folder's and a part of a URL.

    Raises:
        XcosError: it cannot be one.
    """
    if not _NAME.fullmatch(name) or name.endswith((".config", ".yaml")):
        raise XcosError(
            f"{name!r} cannot be the name of a served model; give one of letters, digits, '-', '_' "
            "and single dots"
        )
    return name


def versions(model_folder: Path) -> list[int]:
    """Return the numbers of a model's versions, ascending; none if there is no such folder."""
    if not model_folder.is_dir():
        return []
    names = [path.name for path in model_folder.iterdir() if path.is_dir()]
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal())


def choose_version(model_folder: Path, version: int | None) -> int:
    """Return the version to write.

    Args:
        model_folder: that holds a folder for each version.
        version: the one asked for; None for the one after the highest there is.

    Raises:
        XcosError: it is under 1 or too large, or there already.
    """
    there = versions(model_folder)
    if version is None:
        version = max(there, default=0) + 1
    if not 1 <= version <= LARGEST:
        raise XcosError(f"{version} cannot be a version; give a whole number from 1 to 2⁶³ − 1")
    if version in there:
        raise XcosError(
            f"{model_folder / str(version)} is there already, and a version never changes; give "
            f"another number, such as {max(there) + 1}, or leave it out"
        )
    return version
