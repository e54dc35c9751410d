"""The numbers of tables, as rows of CSV files."""

import csv
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from xcos_tf.errors import XcosError
from xcos_tf.files import write_csv

PAPER, OURS = "paper", "xcos_tf"
PRINTED, DRAWN, MEASURED, NOT_RUN = "printed", "drawn without numbers", "measured", "not run"


@dataclass(frozen=True)
class Accuracy:
    """Accuracy of one way to score on one set, or why there is none.

    Attributes:
        set: as the paper calls it.
        source: PAPER or OURS.
        column: who scored, such as "ArcFace U" or "xcos-mobilefacenet L".
        status: PRINTED or DRAWN in the paper, MEASURED, or NOT_RUN with a reason after a colon.
        accuracy, accuracy_std: in [0, 1]; see `Measurement`.
        share: of one face of each pair that is covered.
        preset, score: see `ScoredPairs`.
        auc, tar_1e2, tar_1e3: see `Measurement`; TAR at FAR 1e-2 and 1e-3 with the low and the high
            end of its 95 % confidence interval.
        pairs: how many.
        preset_sha256: of the weights.
        set_sha256: fingerprint of the set.
    """

    set: str
    source: str
    column: str
    status: str
    accuracy: float | None = None
    accuracy_std: float | None = None
    share: float = 0.0
    preset: str = ""
    score: str = ""
    auc: float | None = None
    tar_1e2: float | None = None
    tar_1e2_low: float | None = None
    tar_1e2_high: float | None = None
    tar_1e3: float | None = None
    tar_1e3_low: float | None = None
    tar_1e3_high: float | None = None
    pairs: int | None = None
    preset_sha256: str = ""
    set_sha256: str = ""


@dataclass(frozen=True)
class Drop:
    """How much accuracy xCos and its baseline lose under occlusion, on the same pairs.

    Attributes:
        preset, baseline: the two that are compared.
        score: of the first.
        share: of one face of each pair that is covered; 0 stands for the mean over all shares.
        lost, baseline_lost: of accuracy since nothing was covered, in [−1, 1].
        difference: lost − baseline_lost; under 0, xCos loses less.
        low, high: its 95 % confidence interval.
    """

    preset: str
    baseline: str
    score: str
    share: float
    lost: float
    baseline_lost: float
    difference: float
    low: float
    high: float


@dataclass(frozen=True)
class Cost:
    """Milliseconds for one pair without and with xCos; status as in `Accuracy`."""

    source: str
    status: str
    without_ms: float | None = None
    with_ms: float | None = None
    preset: str = ""
    baseline: str = ""
    preset_sha256: str = ""
    baseline_sha256: str = ""


def write_rows(path: Path, kind: type, rows: Iterable) -> None:
    """Write rows of one dataclass as CSV, whole or not at all."""
    lines = [["" if x is None else x for x in asdict(row).values()] for row in rows]
    write_csv(path, [field.name for field in fields(kind)], lines)


def read_rows(path: Path, kind: type, tool: str = "reproduce_paper") -> list:
    """Return what `write_rows` wrote, called by a tool of this name.

    Raises:
        XcosError: the file is not there, or is another one.
    """
    types = {field.name: field.type for field in fields(kind)}
    try:
        with open(path, encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            if reader.fieldnames != list(types):
                raise ValueError(f"its columns are not {', '.join(types)}")
            return [
                kind(**{name: _parse(types[name], text) for name, text in row.items()})
                for row in reader
            ]
    except (OSError, ValueError, TypeError, csv.Error) as error:
        raise XcosError(
            f"{path} holds no results ({error}); make them by tools/{tool}.py"
        ) from None


def _parse(kind, text: str):
    if kind is str:
        return text
    if text == "":
        return None
    return int(text) if kind == int | None else float(text)
