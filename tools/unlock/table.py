"""What is measured of the prototype as Markdown, made from the rows alone."""

from collections.abc import Sequence
from pathlib import Path

from tools.paper.rows import read_rows
from tools.unlock.rows import NOTHING, HintTrials, Trials
from xcos_tf.evaluation.intervals import format_rate, share
from xcos_tf.evaluation.measurement import Rate
from xcos_tf.evaluation.results_text import markdown_table


def unlock_table(rows: Sequence[Trials]) -> str:
    """Return one line for each row; the rule is named if there are several."""
    with_rule = len({row.rule for row in rows}) > 1
    heading = ["models", *(["score of a frame"] if with_rule else []), "photos enrolled"]
    heading += ["frames of a try", "owners", "false rejects", "false accepts"]
    lines = [
        [
            row.variant,
            *([row.rule] if with_rule else []),
            str(row.enrolled),
            str(row.frames),
            f"{row.owners}" + (f" ({row.refused} refused)" if row.refused else ""),
            f"{_rate(row.frr, row.frr_low, row.frr_high)}, {row.rejected:,} of {row.genuine:,}",
            f"{_rate(row.far, row.far_low, row.far_high)}, {row.accepted:,} of {row.impostor:,}",
        ]
        for row in rows
    ]
    return markdown_table(heading, lines)


def unlock(results: Path) -> str:
    """Return what tools/measure_unlock.py measured on LFW."""
    return unlock_table(read_rows(results / "unlock.csv", Trials, "measure_unlock"))


def unlock_float32(results: Path) -> str:
    """Return that of the float32 models alone."""
    rows = read_rows(results / "unlock.csv", Trials, "measure_unlock")
    return unlock_table([row for row in rows if row.variant == "float32"])


def validation(results: Path) -> str:
    """Return what it measured on the validation people, of every rule."""
    return unlock_table(read_rows(results / "unlock-validation.csv", Trials, "measure_unlock"))


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


def hints(results: Path) -> str:
    """Return what tools/measure_hints.py measured."""
    return hint_table(read_rows(results / "unlock-hints.csv", HintTrials, "measure_hints"))


def _rate(value: float, low: float, high: float) -> str:
    """Return a rate with as many digits as a small one needs."""
    if value >= 0.001:
        return format_rate(Rate(value, low, high))
    return f"{100 * value:.4f} % ({100 * low:.4f}–{100 * high:.4f})"
