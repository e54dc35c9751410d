"""The price list: what its rows hold, and how they read as Markdown."""

from collections import namedtuple
from collections.abc import Sequence

from tools.paper.tables import on
from tools.results import Report, minus, pivot, table
from xcos_tf.evaluation.results_text import covered, percent
from xcos_tf.evaluation.verification_set import VerificationSet

BASE, POST_TRAINING = "float32", "int8"

Price = namedtuple(
    "Price",
    "variant embed_bytes embed_gzipped verify_bytes verify_gzipped latency_1 latency_2 verify_1 "
    "verify_2 verify_bare_1 verify_bare_2 accuracy accuracy_std s_correlation w_correlation "
    "score_correlation pairs all_accuracy all_lost all_lost_error changed changed_error eer "
    "tar_1e3 tar_1e4 fmr fnmr threshold genuine impostor preset preset_sha256 set_sha256",
)
"""What one variant costs and saves.

Sizes are of the files for one face. `latency_N` is of `embed` on N threads, as a ratio to
float32's; `verify_N` of `verify`, as a ratio to two runs of the same variant's `embed`;
`verify_bare_N` as one to two runs of the bare backbone in float32. Accuracy is that of
`Measurement`. Correlations are Pearson's with float32, over all cells of S and of W, and of xCos,
of all `pairs` of the set. What follows is of all pairs within the folds, `genuine` and `impostor`,
of which both kinds count alike: accuracy; how much of it is lost against float32 and the share of
pairs that is decided otherwise, means over folds and their standard errors; EER, TAR at FAR 1e-3
and 1e-4; FMR and FNMR at the variant's own `threshold` for FMR 1e-3.
"""

CoveredPrice = namedtuple(
    "CoveredPrice",
    "variant share accuracy lost lost_error changed changed_error more more_error genuine impostor "
    "preset preset_sha256 set_sha256",
)
"""What one variant loses on pairs of which a share of one face is covered.

No `share` is the mean over all above 0. `lost` and `changed` are as in `Price`, against float32
with as much covered; `more` is what is lost more than by int8 without training, likewise.
"""


def report(
    rows: Sequence[Price], under_cover: Sequence[CoveredPrice], vset: VerificationSet
) -> Report:
    """Return the page of the price list."""
    words = {
        "tables": (price_table(rows), all_pairs_table(rows), covered_table(under_cover)),
        "pairs": (_pairs(rows[0]), _pairs(under_cover[0])),
        "notes": on(vset),
        "preset": rows[0].preset,
        "sha256": rows[0].preset_sha256,
    }
    files = {"tflite.csv": (Price, rows), "tflite-covered.csv": (CoveredPrice, under_cover)}
    return Report("tflite", files, words)


def price_table(rows: Sequence[Price]) -> str:
    """Return a line for each variant: size, time, accuracy and what becomes of the explanation."""
    base = next(row for row in rows if row.variant == BASE)

    def lost(row: Price) -> str:
        return "" if row is base else minus(f"{100 * (base.accuracy - row.accuracy):.2f}")

    columns = {
        "variant": lambda row: f"`{row.variant}`",
        "MB": lambda row: f"{row.embed_bytes / 1e6:.2f}",
        "gzipped": lambda row: f"{row.embed_gzipped / 1e6:.2f}",
        "time, 1 thread": lambda row: f"{row.latency_1:.2f}",
        "2 threads": lambda row: f"{row.latency_2:.2f}",
        "LFW accuracy %": lambda row: percent(row.accuracy, row.accuracy_std),
        "points lost": lost,
        "S": lambda row: f"{row.s_correlation:.4f}",
        "W": lambda row: f"{row.w_correlation:.4f}",
        "verify / 2 faces": lambda row: f"{row.verify_1:.2f}",
        "verify / 2 bare backbones": lambda row: f"{row.verify_bare_1:.2f}",
    }
    return table(rows, columns)


def all_pairs_table(rows: Sequence[Price]) -> str:
    """Return what all pairs of the set's folds say, and each variant's threshold for FMR 1e-3."""
    columns = {
        "variant": lambda row: f"`{row.variant}`",
        "accuracy %": lambda row: f"{100 * row.all_accuracy:.3f}",
        "points lost": lambda row: _lost(row.all_lost, row.all_lost_error) * (row.variant != BASE),
        "changed, %": lambda row: _changed(row) * (row.variant != BASE),
        "EER %": lambda row: f"{100 * row.eer:.3f}",
        "TAR at FAR 1e-3, %": lambda row: f"{100 * row.tar_1e3:.2f}",
        "at 1e-4, %": lambda row: f"{100 * row.tar_1e4:.2f}",
        "own threshold": lambda row: f"{row.threshold:.4f}",
        "FMR %": lambda row: f"{100 * row.fmr:.4f}",
        "FNMR %": lambda row: f"{100 * row.fnmr:.2f}",
    }
    return table(rows, columns)


def covered_table(rows: Sequence[CoveredPrice]) -> str:
    """Return points lost by the share that is covered, and on the mean against int8's."""
    cells = []
    for row in rows:
        name, column = f"`{row.variant}`", "mean" if row.share is None else covered(row.share)
        if row.variant == BASE:
            cells.append((f"accuracy of {name}, %", column, f"{100 * row.accuracy:.2f}"))
        elif row.share is not None:
            cells.append((name, column, minus(f"{100 * row.lost:+.2f}")))
        else:
            has_more = row.more is not None and row.variant != POST_TRAINING
            more = _lost(row.more, row.more_error) if has_more else ""
            told = {column: _lost(row.lost, row.lost_error), "changed, %": _changed(row)}
            told[f"more than `{POST_TRAINING}`"] = more
            cells += [(name, *cell) for cell in told.items()]
    return pivot(cells, "points lost", "")


def _lost(lost: float, error: float) -> str:
    return minus(f"{100 * lost:+.3f} ± {100 * error:.3f}")


def _changed(row: Price | CoveredPrice) -> str:
    return f"{100 * row.changed:.3f} ± {100 * row.changed_error:.3f}"


def _pairs(row: Price | CoveredPrice) -> str:
    return f"{row.genuine:,} genuine and {row.impostor:,} impostor pairs"
