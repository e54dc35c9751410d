"""The report's one entry: from measurements to a file that any browser opens."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.measurement import Measurement, ScoredPairs, UnderOcclusion
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.files import check_can_write

REPORT_SUFFIXES = (".html", ".htm")


def write_report(
    path: str | os.PathLike,
    vset: VerificationSet,
    results: Sequence[tuple[ScoredPairs, Measurement]],
    face: Callable[[int], np.ndarray],
    occlusion: Sequence[UnderOcclusion] = (),
    command: str = "",
) -> None:
    """Write the report on one set as one HTML file, whole or not at all.

    Args:
        path: of the file, .html or .htm; what is there is replaced.
        vset: what was measured on.
        results: each score of each preset and what it is worth, in the order to show them; at
            least one. Presets with a grid are loaded again, by the name they have here, for the
            maps of the gallery.
        face: gives the aligned face of a photo of the set by its position, uint8 (112, 112, 3)
            RGB; called for the few photos that the gallery shows.
        occlusion: accuracy under occlusion, if it was measured, in any order.
        command: that made the report, for whoever wants to make it again.

    Raises:
        XcosError: as by `check_report_path`, `Verifier.from_preset` and `face`, or the file cannot
            be written.
        ValueError: there are no results, or not one value for each pair.
    """
    path = check_report_path(path)
    raise NotImplementedError


def check_report_path(path: str | os.PathLike) -> Path:
    """Return the path of a report to come, if it can be written; saves the work if it cannot.

    Raises:
        XcosError: the extension is not .html or .htm, or the path is a folder, or is in none, or
            in one that may not be written to.
    """
    path = Path(path)
    if path.suffix.lower() not in REPORT_SUFFIXES:
        raise XcosError(
            f"a report cannot be written as {path.name!r}; end its name in "
            f"{' or '.join(REPORT_SUFFIXES)}"
        )
    if path.is_dir():
        raise XcosError(f"the report cannot be written to {path}, which is a folder; give a file")
    if not path.parent.is_dir():
        raise XcosError(
            f"the report cannot be written to {path}: there is no folder {path.parent}; make it "
            "first or choose another"
        )
    check_can_write(path, path.parent)
    return path
