"""What is measured of the prototype: what rows hold, and how they read as Markdown."""

from collections import namedtuple
from collections.abc import Sequence

from xcos_tf.evaluation.results_text import markdown_table
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
    with_rule = len({row.rule for row in rows}) > 1
    heading = ["models", *(["score of a frame"] * with_rule), "photos enrolled"]
    heading += ["frames of a try", "owners", "false rejects", "false accepts"]
    lines = [
        [
            row.variant,
            *([row.rule] * with_rule),
            str(row.enrolled),
            str(row.frames),
            f"{row.owners}" + (f" ({row.refused} refused)" if row.refused else ""),
            f"{_rate(row.frr, row.frr_low, row.frr_high)}, {row.rejected:,} of {row.genuine:,}",
            f"{_rate(row.far, row.far_low, row.far_high)}, {row.accepted:,} of {row.impostor:,}",
        ]
        for row in rows
    ]
    return markdown_table(heading, lines)


def float32_table(rows: Sequence[Trials]) -> str:
    """Return that of the float32 models alone."""
    return unlock_table([row for row in rows if row.variant == "float32"])


def hint_table(rows: Sequence[HintTrials]) -> str:
    """Return one line for each half."""
    heading = ["covered", "tries", "failed", "of those, named a part", "a part that was covered"]
    lines = [
        [
            row.covered + (" half" if row.covered != NOTHING else ""),
            f"{row.tries:,}",
            f"{row.failed:,} ({format_rate(share(row.failed, row.tries))})",
            _share(row.named, row.failed),
            _share(row.right, row.failed) if row.covered != NOTHING else "",
        ]
        for row in rows
    ]
    return markdown_table(heading, lines)


def _share(count: int, total: int) -> str:
    return format_rate(share(count, total)) if total else ""


def _rate(value: float, low: float, high: float) -> str:
    """Return a rate with as many digits as a small one needs."""
    if value >= 0.001:
        return format_rate(Rate(value, low, high))
    return f"{100 * value:.4f} % ({100 * low:.4f}–{100 * high:.4f})"
