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
)


def price_table(rows: Sequence[Price]) -> str:
    """Return a line for each variant: size, time, accuracy and what becomes of the explanation."""
    base = next(row for row in rows if row.variant == BASE)
    return markdown_table(HEADING, [_line(row, base) for row in rows])


def threshold_table(rows: Sequence[Price]) -> str:
    """Return what each variant's own threshold for FMR 1e-3 gives on the set."""
    lines = [
        [
            f"`{row.variant}`",
            f"{row.threshold:.4f}",
            f"{100 * row.fmr:.2f}",
            f"{100 * row.fnmr:.2f}",
        ]
        for row in rows
    ]
    return markdown_table(["variant", "threshold", "FMR %", "FNMR %"], lines)


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
    ]
