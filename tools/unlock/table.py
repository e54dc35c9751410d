"""What is measured of the prototype: what rows hold, and how they read as Markdown."""

from collections import namedtuple
from collections.abc import Sequence

from tools.results import table
from xcos_tf.metrics.intervals import format_rate, share
from xcos_tf.metrics.rates import Rate

NOTHING = "nothing"

Trials = namedtuple(
    "Trials",
    "set variant rule enrolled frames owners refused genuine rejected unusable frr frr_low "
    "frr_high impostor accepted far far_low far_high threshold preset_sha256",
)
"""One rule, by which several templates give one score, with one variant on one set.

`enrolled` are photos of each owner, `frames` of each try. Of the `owners` the prototype `refused`
to enroll some, since their photos do not match one another. `genuine` are tries of owners; of those
that were `rejected`, no photo was usable in the `unusable`. `impostor` are tries of others. FRR and
FAR have 95 % confidence intervals; the score was held against `threshold`.
"""

HintTrials = namedtuple(
    "HintTrials", "set covered variant owners tries failed named right preset_sha256"
)
"""The tries of `owners`, single photos, with one half covered, or `NOTHING`.

Of those that `failed`, the hints of some `named` an area, and of these some the `right` half.
"""


def unlock_table(rows: Sequence[Trials]) -> str:
    """Return one line for each row; the rule is named if there are several."""
    columns = {
        "models": lambda row: row.variant,
        "score of a frame": lambda row: row.rule,
        "photos enrolled": lambda row: str(row.enrolled),
        "frames of a try": lambda row: str(row.frames),
        "owners": lambda row: f"{row.owners}" + f" ({row.refused} refused)" * (row.refused > 0),
        "false rejects": lambda row: (
            f"{_rate(row.frr, row.frr_low, row.frr_high)}, {row.rejected:,} of {row.genuine:,}"
        ),
        "false accepts": lambda row: (
            f"{_rate(row.far, row.far_low, row.far_high)}, {row.accepted:,} of {row.impostor:,}"
        ),
    }
    if len({row.rule for row in rows}) == 1:
        del columns["score of a frame"]
    return table(rows, columns)


def float32_table(rows: Sequence[Trials]) -> str:
    """Return that of the float32 models alone."""
    return unlock_table([row for row in rows if row.variant == "float32"])


def hint_table(rows: Sequence[HintTrials]) -> str:
    """Return one line for each half."""
    columns = {
        "covered": lambda row: row.covered + " half" * (row.covered != NOTHING),
        "tries": lambda row: f"{row.tries:,}",
        "failed": lambda row: f"{row.failed:,} ({format_rate(share(row.failed, row.tries))})",
        "of those, named a part": lambda row: _share(row.named, row.failed),
        "a part that was covered": lambda row: (
            _share(row.right, row.failed) if row.covered != NOTHING else ""
        ),
    }
    return table(rows, columns)


def _share(count: int, total: int) -> str:
    return format_rate(share(count, total)) if total else ""


def _rate(value: float, low: float, high: float) -> str:
    """Return a rate with as many digits as a small one needs."""
    if value >= 0.001:
        return format_rate(Rate(value, low, high))
    return f"{100 * value:.4f} % ({100 * low:.4f}–{100 * high:.4f})"
