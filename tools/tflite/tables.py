"""The price list as Markdown, made from its rows alone."""

from collections.abc import Sequence

from tools.tflite.rows import BASE, POST_TRAINING, CoveredPrice, Price
from xcos_tf.evaluation.results_text import covered, markdown_table, percent

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


def covered_table(rows: Sequence[CoveredPrice]) -> str:
    """Return points lost by the share that is covered, and on the mean against int8's."""
    shares = [row.share for row in rows if row.variant == BASE and row.share is not None]
    heading = ["points lost", *map(covered, shares), "mean", "changed, %"]
    lines = []
    for name in dict.fromkeys(row.variant for row in rows):
        *of_shares, mean = (row for row in rows if row.variant == name)
        if name == BASE:
            accuracy = [f"{100 * row.accuracy:.2f}" for row in (*of_shares, mean)]
            lines.append([f"accuracy of `{name}`, %", *accuracy, "", ""])
            continue
        more = (
            "" if mean.more is None or name == POST_TRAINING else _lost(mean.more, mean.more_error)
        )
        lines.append(
            [
                f"`{name}`",
                *(f"{100 * row.lost:+.2f}".replace("-", "−") for row in of_shares),
                _lost(mean.lost, mean.lost_error),
                _changed(mean),
                more,
            ]
        )
    return markdown_table([*heading, f"more than `{POST_TRAINING}`"], lines)


def _lost(lost: float, error: float) -> str:
    return f"{100 * lost:+.3f} ± {100 * error:.3f}".replace("-", "−")


def _changed(row: Price | CoveredPrice) -> str:
    return f"{100 * row.changed:.3f} ± {100 * row.changed_error:.3f}"


def _line_of_all(row: Price) -> list[str]:
    return [
        f"`{row.variant}`",
        f"{100 * row.all_accuracy:.3f}",
        "" if row.variant == BASE else _lost(row.all_lost, row.all_lost_error),
        "" if row.variant == BASE else _changed(row),
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
