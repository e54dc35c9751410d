"""Tables of results inside other pages, between markers, made from the CSV files alone."""

import re
from collections.abc import Callable
from pathlib import Path

from tools.explanations.summary import Measure
from tools.explanations.tables import TABLES as EXPLANATIONS
from tools.paper.rows import Accuracy, Drop
from tools.paper.tables import lfw_table, occlusion_table
from tools.paper.under_cover import drops_table, statements
from tools.results import read_rows
from tools.search.page import Search, search_table
from tools.tflite.tables import CoveredPrice, Price, all_pairs_table, covered_table, price_table
from tools.unlock import HintTrials, Trials, float32_table, hint_table, unlock_table
from xcos_tf.errors import XcosError
from xcos_tf.files import replace_file

END = "<!-- end -->"
_BLOCK = re.compile(rf"(<!-- table: ([\w-]+) -->\n)(.*?)({END})", re.DOTALL)

TABLES: dict[str, tuple[Callable[[list], str], str, type, str]] = {
    "lfw": (lfw_table, "table-2.csv", Accuracy, "reproduce_paper"),
    "occlusion": (occlusion_table, "fig-5b.csv", Accuracy, "reproduce_paper"),
    "drops": (drops_table, "fig-5b-drops.csv", Drop, "reproduce_paper"),
    "claims": (statements, "fig-5b-drops.csv", Drop, "reproduce_paper"),
    "tflite": (price_table, "tflite.csv", Price, "benchmark_tflite"),
    "tflite-all-pairs": (all_pairs_table, "tflite.csv", Price, "benchmark_tflite"),
    "tflite-covered": (covered_table, "tflite-covered.csv", CoveredPrice, "benchmark_tflite"),
    "unlock": (unlock_table, "unlock.csv", Trials, "measure_unlock"),
    "unlock-float32": (float32_table, "unlock.csv", Trials, "measure_unlock"),
    "unlock-validation": (unlock_table, "unlock-validation.csv", Trials, "measure_unlock"),
    "search": (search_table, "search.csv", Search, "benchmark_search"),
    "unlock-hints": (hint_table, "unlock-hints.csv", HintTrials, "measure_hints"),
    **{
        name: (make, "explanations.csv", Measure, "benchmark_explanations")
        for name, make in EXPLANATIONS.items()
    },
}
"""{name in a marker: how to make it, of which file and kind of rows, by which tool}."""


def fill_tables(text: str, results: Path) -> str:
    """Return a page with what is between `<!-- table: NAME -->` and `<!-- end -->` made anew.

    Raises:
        XcosError: a table has no end or a name that none has, or its results are not there.
    """
    if text.count("<!-- table: ") != len(_BLOCK.findall(text)):
        raise XcosError(f"a table of the page has no {END}; add it after the table")

    def render(match: re.Match) -> str:
        start, name, _, end = match.groups()
        if name not in TABLES:
            raise XcosError(f"there is no table {name!r}; use one of {', '.join(TABLES)}")
        make, file, kind, tool = TABLES[name]
        return f"{start}{make(read_rows(results / file, kind, tool))}\n{end}"

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
