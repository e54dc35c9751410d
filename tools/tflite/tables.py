"""The price list as Markdown, made from its rows alone."""

from collections.abc import Sequence

from tools.tflite.rows import BASE, Price
from xcos_tf.evaluation.results_text import markdown_table, percent

HEADING = (
    "variant",
    "MB",
    "gzipped",
    "time, 1 thread",
    "2 threads",
    "LFW accuracy %",
    "points lost",
    "S",
    "W",
    "verify / 2 faces",
    "verify / 2 bare backbones",
)
ALL_PAIRS_HEADING = (
    "variant",
    "accuracy %",
    "points lost",
    "changed, %",
    "EER %",
    "TAR at FAR 1e-3, %",
    "at 1e-4, %",
    "own threshold",
    "FMR %",
    "FNMR %",
)


def price_table(rows: Sequence[Price]) -> str:
    """Return a line for each variant: size, time, accuracy and what becomes of the explanation."""
    base = next(row for row in rows if row.variant == BASE)
    return markdown_table(HEADING, [_line(row, base) for row in rows])


def all_pairs_table(rows: Sequence[Price]) -> str:
    """Return what all pairs of the set's folds say, and each variant's threshold for FMR 1e-3."""
    return markdown_table(ALL_PAIRS_HEADING, [_line_of_all(row) for row in rows])


def _line_of_all(row: Price) -> list[str]:
    lost = f"{100 * row.all_lost:+.3f} ± {100 * row.all_lost_error:.3f}".replace("-", "−")
    changed = f"{100 * row.changed:.3f} ± {100 * row.changed_error:.3f}"
    return [
        f"`{row.variant}`",
        f"{100 * row.all_accuracy:.3f}",
        "" if row.variant == BASE else lost,
        "" if row.variant == BASE else changed,
        f"{100 * row.eer:.3f}",
        f"{100 * row.tar_1e3:.2f}",
        f"{100 * row.tar_1e4:.2f}",
        f"{row.threshold:.4f}",
        f"{100 * row.fmr:.4f}",
        f"{100 * row.fnmr:.2f}",
    ]


def _line(row: Price, base: Price) -> list[str]:
    lost = f"{100 * (base.accuracy - row.accuracy):.2f}".replace("-", "−")
    return [
        f"`{row.variant}`",
        f"{row.embed_bytes / 1e6:.2f}",
        f"{row.embed_gzipped / 1e6:.2f}",
        f"{row.latency_1:.2f}",
        f"{row.latency_2:.2f}",
        percent(row.accuracy, row.accuracy_std),
        "" if row is base else lost,
        f"{row.s_correlation:.4f}",
        f"{row.w_correlation:.4f}",
        f"{row.verify_1:.2f}",
        f"{row.verify_bare_1:.2f}",
    ]
