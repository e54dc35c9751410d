"""Whether a picture or a report could be written to a path, told before the work."""

import os
from pathlib import Path

from xcos_tf.errors import XcosError
from xcos_tf.files import check_can_write

FIGURE_SUFFIXES = (".png", ".pdf", ".svg")
REPORT_SUFFIXES = (".html", ".htm")
GROUP_PICTURES = ("true-accepts.png", "false-accepts.png", "true-rejects.png", "false-rejects.png")
MEAN_ATTENTION = "mean-attention.png"


def check_figure_path(path: str | os.PathLike) -> Path:
    """Return the path of a figure to come, if it can be written; saves the work if it cannot.

    Raises:
        XcosError: the extension is not .png, .pdf or .svg, or the folder is missing or may not be
            written to, or the path is a folder.
    """
    path = _named_file(path, "picture", FIGURE_SUFFIXES)
    if not os.access(path.parent, os.W_OK | os.X_OK):
        raise XcosError(
            f"the picture cannot be written to {path}: the folder {path.parent} may not be written "
            "to; choose another"
        )
    return path


def check_report_path(path: str | os.PathLike) -> Path:
    """Return the path of a report to come, if it can be written; saves the work if it cannot.

    Raises:
        XcosError: the extension is not .html or .htm, or the path is a folder, or is in none, or
            in one that may not be written to.
    """
    path = _named_file(path, "report", REPORT_SUFFIXES)
    check_can_write(path, path.parent)
    return path


def _named_file(path: str | os.PathLike, what: str, suffixes: tuple[str, ...]) -> Path:
    """Return the path of a file to come in a folder that is there; its name ends in a suffix."""
    path = Path(path)
    if path.suffix.lower() not in suffixes:
        listed = " or ".join([", ".join(suffixes[:-1]), suffixes[-1]])
        raise XcosError(f"a {what} cannot be written as {path.name!r}; end its name in {listed}")
    if os.path.isdir(path):
        raise XcosError(f"the {what} cannot be written to {path}, which is a folder; give a file")
    if not os.path.isdir(path.parent):
        raise XcosError(
            f"the {what} cannot be written to {path}: there is no folder {path.parent}; make it "
            "first or choose another"
        )
    return path
