"""Tables of results inside other pages, between markers, made from the CSV files alone."""

import re
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tools.explanations.rows import Measure
from tools.explanations.tables import TABLES as EXPLANATIONS
from tools.paper.rows import MEASURED, OURS, Accuracy, Drop, read_rows
from tools.paper.under_cover import accuracy_table, drops_table, statements
from tools.tflite.rows import CoveredPrice, Price
from tools.tflite.tables import all_pairs_table, covered_table, price_table
from tools.unlock.table import hints, unlock, unlock_float32, validation
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.intervals import format_rate
from xcos_tf.evaluation.measurement import Rate
from xcos_tf.evaluation.results_text import markdown_table, percent
from xcos_tf.files import replace_file

SCORES = {
    "cosine": "cosine",
    "patched": "xCos, uniform attention (U)",
    "correlated": "xCos, correlated attention (P)",
    "learned": "xCos, learned attention (L)",
    "flattened": "cosine of the flattened grid",
}
END = "<!-- end -->"
_BLOCK = re.compile(rf"(<!-- table: ([\w-]+) -->\n)(.*?)({END})", re.DOTALL)


def fill_tables(text: str, results: Path) -> str:
    """Return a page with what is between `<!-- table: NAME -->` and `<!-- end -->` made anew.

    Args:
        text: the page.
        results: folder that the tools which measured them wrote.

    Raises:
        XcosError: a table has no end or a name that none has, or its results are not there.
    """
    if text.count("<!-- table: ") != len(_BLOCK.findall(text)):
        raise XcosError(f"a table of the page has no {END}; add it after the table")

    def render(match: re.Match) -> str:
        start, name, _, end = match.groups()
        if name not in TABLES:
            raise XcosError(f"there is no table {name!r}; use one of {', '.join(TABLES)}")
        return f"{start}{TABLES[name](results)}\n{end}"

    return _BLOCK.sub(render, text)


def fill_page(page: Path, results: Path) -> None:
    """Make the tables of a page anew, in its file; see `fill_tables`.

    Raises:
        XcosError: as by `fill_tables`, or the page cannot be read or written.
    """
    try:
        text = fill_tables(page.read_text(encoding="utf-8"), results)
        replace_file(page, lambda stream: stream.write(text.encode("utf-8")))
    except (OSError, UnicodeDecodeError) as error:
        raise XcosError(f"{page} cannot be made anew ({error}); give a page of text") from None


def lfw(results: Path) -> str:
    """Return every measured score on LFW, with its gap to the preset's baseline."""
    rows = [
        row
        for row in read_rows(results / "table-2.csv", Accuracy)
        if (row.set, row.source, row.status) == ("LFW", OURS, MEASURED)
    ]
    baselines = {row.preset: row.accuracy for row in rows if row.score == "cosine"}
    lines = []
    for row in rows:
        baseline = baselines.get(row.preset.removeprefix("xcos-"))
        has_gap = baseline is not None and row.score != "cosine"
        gap = f"{100 * (baseline - row.accuracy):.2f}".replace("-", "−") if has_gap else ""
        lines.append(
            [
                f"`{row.preset}`",
                SCORES[row.score],
                percent(row.accuracy, row.accuracy_std),
                gap,
                f"{row.auc:.4f}",
                _rate(row.tar_1e2, row.tar_1e2_low, row.tar_1e2_high),
                _rate(row.tar_1e3, row.tar_1e3_low, row.tar_1e3_high),
            ]
        )
    heading = ["preset", "score", "LFW accuracy %", "gap to the baseline", "AUC"]
    return markdown_table([*heading, "TAR at FAR 1e-2", "TAR at FAR 1e-3"], lines)


def occlusion(results: Path) -> str:
    """Return accuracy on LFW by the share that is covered, of what was measured."""
    rows = read_rows(results / "fig-5b.csv", Accuracy)
    return accuracy_table([row for row in rows if row.status == MEASURED])


def drops(results: Path) -> str:
    """Return how much more than its baseline each score loses."""
    return drops_table(read_rows(results / "fig-5b-drops.csv", Drop))


def claims(results: Path) -> str:
    """Return in words whether xCos loses less than its baseline."""
    return statements(read_rows(results / "fig-5b-drops.csv", Drop))


def _table(make: Callable[[list], str], file: str, kind: type, tool: str, results: Path) -> str:
    """Return a table of the rows of one kind that a tool wrote."""
    return make(read_rows(results / file, kind, tool))


TABLES: dict[str, Callable[[Path], str]] = {
    "lfw": lfw,
    "occlusion": occlusion,
    "drops": drops,
    "claims": claims,
    **{
        name: partial(_table, make, file, kind, "benchmark_tflite")
        for name, make, file, kind in (
            ("tflite", price_table, "tflite.csv", Price),
            ("tflite-all-pairs", all_pairs_table, "tflite.csv", Price),
            ("tflite-covered", covered_table, "tflite-covered.csv", CoveredPrice),
        )
    },
    "unlock": unlock,
    "unlock-float32": unlock_float32,
    "unlock-validation": validation,
    "unlock-hints": hints,
    **{
        name: partial(_table, make, "explanations.csv", Measure, "benchmark_explanations")
        for name, make in EXPLANATIONS.items()
    },
}


def _rate(value: float | None, low: float | None, high: float | None) -> str:
    return "" if value is None else format_rate(Rate(value, low, high))
