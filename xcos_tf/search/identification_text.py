"""Searches of a folder's faces as Markdown tables."""

from xcos_tf.errors import counted, on_one_line
from xcos_tf.evaluation.results_text import markdown_table
from xcos_tf.metrics.intervals import format_rate
from xcos_tf.metrics.rates import Rate


def identification_tables(document: dict) -> str:
    """Return a document of `identification_document` as a headline and two tables."""
    facts, results = document["set"], document["results"]
    others = counted(facts["faces"] - 1, "other")
    headline = (
        f"{counted(facts['faces'], 'face')} of {counted(facts['people'], 'person', 'people')} in "
        f"{on_one_line(facts['name'])}, each searched among the {others}; "
        f"{facts['with a mate']:,} have a mate there"
    )
    ranks = [
        [x["preset"], x["score"], *(format_rate(Rate(**x[rank])) for rank in ("rank_1", "rank_5"))]
        for x in results
    ]
    limits = [
        [
            *(x["preset"], x["score"], f"{int(size):,}"),
            f"{at['threshold']:.3f}",
            *(format_rate(Rate(**at[kind])) for kind in ("fpir", "fnir")),
        ]
        for x in results
        for size, at in x["thresholds"].items()
    ]
    return "\n\n".join(
        [
            headline,
            markdown_table(["preset", "score", "rank 1", "rank 5"], ranks),
            f"Thresholds that keep FPIR to {100 * document['fpir']:g} % in galleries of up to so "
            "many faces, and FPIR and FNIR at them in this one:",
            markdown_table(["preset", "score", "gallery", "threshold", "FPIR", "FNIR"], limits),
        ]
    )
