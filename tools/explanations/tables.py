"""The benchmark's numbers as Markdown, made from the rows alone."""

from collections.abc import Callable, Mapping, Sequence

from tools.explanations.rows import (
    BACKWARD,
    CELLS,
    CONTROL,
    CURVES,
    DELETION,
    DISSIMILARITY,
    FORWARD,
    GENUINE,
    IMPOSTOR,
    INSERTION,
    RATIO,
    SECONDS,
    SHIFT,
    SIMILARITY,
    SWAP,
    WEIGHTS,
    XCOS,
    Measure,
)
from tools.paper.part import pivot
from tools.paper.tables import LETTERS
from xcos_tf.explain.faithfulness.fillings import FILLINGS

NONE = "–"
# Which way is better, of a mean.
ARROWS = {DELETION: "↓", INSERTION: "↑", CELLS: "↑"}
Cell = Callable[[Measure], str]


def faithfulness_table(rows: Sequence[Measure]) -> str:
    """Return the areas for similarity maps, cell ablation and what a map costs."""
    return _table(rows, {**_columns((SIMILARITY, CELLS), _mean), **_costs(RATIO)})


def dissimilarity_table(rows: Sequence[Measure]) -> str:
    """Return the areas for dissimilarity maps on impostor pairs."""
    return _table(rows, _columns((DISSIMILARITY,), _mean))


def gains_table(rows: Sequence[Measure]) -> str:
    """Return by how much each method is better than a random map on the same verifier."""
    of_methods = [row for row in rows if row.method != CONTROL]
    return _table(of_methods, _columns((SIMILARITY, DISSIMILARITY), _gain, arrows=False))


def kinds_table(rows: Sequence[Measure]) -> str:
    """Return the gains of similarity maps on genuine pairs, and on impostor pairs."""
    of_methods = [row for row in rows if row.method != CONTROL]
    return _table(of_methods, _columns((GENUINE, IMPOSTOR), _gain, arrows=False))


def checks_table(rows: Sequence[Measure]) -> str:
    """Return the sanity checks, and the cost in full."""
    last = max((row.detail for row in rows if row.measure == WEIGHTS), default="")
    columns = {
        "all weights random (0 is right)": ((WEIGHTS, last), _mean),
        "shift by a pixel (1 is right)": ((SHIFT, ""), _mean),
        "A and B swapped (0 is right)": ((SWAP, ""), _mean),
        **_costs(SECONDS, RATIO, FORWARD, BACKWARD),
    }
    return _table(rows, columns)


def statements(rows: Sequence[Measure]) -> str:
    """Return, for each measure of faithfulness, a sentence that says plainly where xCos stands."""
    lines = []
    several = _on_several(rows)
    on_all = [row for row in rows if row.measure.split()[0] not in (GENUINE, IMPOSTOR)]
    ranked = [row for row in on_all if row.gain is not None]
    for measure, detail in dict.fromkeys((row.measure, row.detail) for row in ranked):
        of_measure = [row for row in ranked if (row.measure, row.detail) == (measure, detail)]
        xcos = [row for row in of_measure if row.method == XCOS]
        if not xcos or len(of_measure) < 2:
            continue
        place = 1 + sum(row.gain > xcos[0].gain for row in of_measure)
        rivals = [row for row in of_measure if row.lead is not None]
        groups = {
            "worse than": [row for row in rivals if row.lead_low > 0],
            "better than": [row for row in rivals if row.lead_high < 0],
            "not to be told from": [row for row in rivals if row.lead_low <= 0 <= row.lead_high],
        }
        said = [
            f"{words} {', '.join(_called(row, several) for row in group)}"
            for words, group in groups.items()
            if group
        ]
        lines.append(
            f"- {measure[0].upper()}{measure[1:]}, {detail}: xcos takes place {place} of "
            f"{len(of_measure)}; it is {'; '.join(said)}."
        )
    return "\n".join(lines)


TABLES: dict[str, Callable[[Sequence[Measure]], str]] = {
    "explanations": faithfulness_table,
    "explanations-claims": statements,
    "explanations-gains": gains_table,
    "explanations-kinds": kinds_table,
    "explanations-dissimilarity": dissimilarity_table,
    "explanations-checks": checks_table,
}
"""What other pages can show, by the names in their markers."""


def _on_several(rows: Sequence[Measure]) -> set[str]:
    """Return the methods that explain more than one verifier."""
    verifiers: dict[str, set] = {}
    for row in rows:
        verifiers.setdefault(row.method, set()).add((row.preset, row.score))
    return {method for method, of_method in verifiers.items() if len(of_method) > 1}


def _called(row: Measure, several: set[str]) -> str:
    return f"{row.method} (on {row.preset})" if row.method in several else row.method


def _columns(
    measures: Sequence[str], cell: Cell, arrows: bool = True
) -> dict[str, tuple[tuple[str, str], Cell]]:
    """Return {heading: (measure and filling, how to write it)} of kinds of areas, or of cells."""
    names = [f"{kind} {curve}" for kind in measures if kind != CELLS for curve in CURVES]
    names += [CELLS] * (CELLS in measures)
    columns = {}
    for name in names:
        arrow = f" {ARROWS[name if name == CELLS else name.split()[-1]]}" if arrows else ""
        for filling in FILLINGS:
            columns[f"{name}, {filling}{arrow}"] = ((name, filling), cell)
    return columns


def _costs(*measures: str) -> dict[str, tuple[tuple[str, str], Cell]]:
    writing: Mapping[str, tuple[str, Cell]] = {
        SECONDS: ("seconds", lambda row: f"{row.value:.3g}"),
        RATIO: ("time, × a plain verification", lambda row: f"{row.value:.3g}"),
        FORWARD: ("faces forward", lambda row: f"{row.value:,.0f}"),
        BACKWARD: ("backward", lambda row: f"{row.value:,.0f}"),
    }
    return {writing[name][0]: ((name, ""), writing[name][1]) for name in measures}


def _table(rows: Sequence[Measure], columns: Mapping[str, tuple[tuple[str, str], Cell]]) -> str:
    cells = []
    by_place = {(row.method, row.preset, row.score, row.measure, row.detail): row for row in rows}
    for who in dict.fromkeys((row.method, row.preset, row.score) for row in rows):
        method, preset, score = who
        label = f"{method} | {preset} {LETTERS.get(score, score)}"
        for heading, (place, cell) in columns.items():
            row = by_place.get((*who, *place))
            cells.append((label, heading, NONE if row is None else cell(row)))
    # A label has a bar in it, and so fills two columns.
    return pivot(cells, "method | explains", NONE).replace("| --- |", "| --- | --- |", 1)


def _mean(row: Measure) -> str:
    if row.low is None:
        return f"{row.value:.3f}".replace("-", "−")
    return f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})".replace("-", "−")


def _gain(row: Measure) -> str:
    return f"{row.gain:+.3f} ({row.gain_low:+.3f} to {row.gain_high:+.3f})".replace("-", "−")
