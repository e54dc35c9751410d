"""The benchmark's numbers as Markdown, made from the rows alone."""

from collections.abc import Callable, Sequence

from tools.explanations.rows import CONTROL, CURVES, FILLINGS, XCOS, Measure, is_better_high
from tools.paper.rows import LETTERS
from tools.results import minus, pivot

NONE = "–"
FAILED = " ✗"
UNCHANGED = 0.4
"""A method whose maps correlate so far with those under random weights fails the check."""
Place = tuple[str, str]
"""A measure, and its filling or other detail."""
RATIO = {"time, × a plain verification": ("ratio", "")}
COSTS = {
    "seconds": ("seconds", ""),
    **RATIO,
    "faces forward": ("forward passes", ""),
    "backward": ("backward passes", ""),
}


def statements(rows: Sequence[Measure]) -> str:
    """Return, for each measure of faithfulness, where xCos stands among maps of its verifier."""
    lines = []
    own = {row[1:3] for row in rows if row.method == XCOS}
    ranked: dict[Place, list[Measure]] = {}
    for row in rows:
        if row.gain is not None and row[1:3] in own and "accuracy" not in row.measure:
            ranked.setdefault((row.measure, row.detail), []).append(row)
    for (measure, detail), of_measure in ranked.items():
        xcos = [row for row in of_measure if row.method == XCOS]
        if not xcos or len(of_measure) < 2:
            continue
        place = 1 + sum(row.gain > xcos[0].gain for row in of_measure)
        rivals = [row for row in of_measure if row.lead is not None]
        groups = {
            "worse than": [row.method for row in rivals if row.lead_low > 0],
            "better than": [row.method for row in rivals if row.lead_high < 0],
            "not to be told from": [x.method for x in rivals if x.lead_low <= 0 <= x.lead_high],
        }
        said = [f"{words} {', '.join(of)}" for words, of in groups.items() if of]
        lines.append(
            f"- {measure[0].upper()}{measure[1:]}, {detail}: xcos takes place {place} of "
            f"{len(of_measure)}; it is {'; '.join(said)}."
        )
    return "\n".join(lines)


def _areas(*kinds: str, suffix: str = "", fillings: Sequence[str] = FILLINGS) -> dict[str, Place]:
    """Return {heading: place} of the areas for kinds of pairs."""
    measures = [f"{kind} {curve}{suffix}" for kind in kinds for curve in CURVES]
    return {
        f"{measure}, {filling} {'↑' if is_better_high(measure) else '↓'}": (measure, filling)
        for measure in measures
        for filling in fillings
    }


def _gains(rows: Sequence[Measure], suffix: str = "") -> str:
    columns = {x[:-2]: y for x, y in _areas("genuine", "impostor", suffix=suffix).items()}
    return _table([row for row in rows if row.method != CONTROL], columns, _gain)


def _table(
    rows: Sequence[Measure], columns: dict[str, Place], cell: Callable[[Measure], str] | None = None
) -> str:
    cells, measured = [], {(row.measure, row.detail) for row in rows}
    columns = {heading: place for heading, place in columns.items() if place in measured}
    if not columns:
        return ""
    by_place = {(*row[:3], row.measure, row.detail): row for row in rows}
    for who in dict.fromkeys(row[:3] for row in rows):
        method, preset, score = who
        label = f"{method} | {preset} {LETTERS.get(score, score)}"
        for heading, place in columns.items():
            row = by_place.get((*who, *place))
            cells.append((label, heading, NONE if row is None else (cell or _mean)(row)))
    # A label has a bar in it, and so fills two columns.
    return pivot(cells, "method | explains", NONE).replace("| --- |", "| --- | --- |", 1)


def _mean(row: Measure) -> str:
    if row.measure in ("seconds", "ratio"):
        return f"{row.value:.3g}"
    if row.measure in ("forward passes", "backward passes"):
        return f"{row.value:,.0f}"
    if row.low is None:
        return minus(f"{row.value:.3f}")
    failed = FAILED if row.measure == "random weights" and row.value >= UNCHANGED else ""
    return minus(f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})") + failed


def _gain(row: Measure) -> str:
    return minus(f"{row.gain:+.3f} ({row.gain_low:+.3f} to {row.gain_high:+.3f})")


def _cells(rows: Sequence[Measure]) -> dict[str, Place]:
    details = dict.fromkeys(row.detail for row in rows if row.measure == "cell ablation")
    return {f"cell ablation, {detail} ↑": ("cell ablation", detail) for detail in details}


def _checks(rows: Sequence[Measure]) -> str:
    last = max((row.detail for row in rows if row.measure == "random weights"), default="")
    columns = {
        "all weights random (0 is right)": ("random weights", last),
        "shift by a pixel (1 is right)": ("shift", ""),
        "A and B swapped (0 is right)": ("swap", ""),
    }
    return _table(rows, {**columns, **COSTS})


TABLES: dict[str, Callable[[Sequence[Measure]], str]] = {
    "explanations": lambda rows: _table(
        rows, {**_areas("genuine", "impostor", fillings=FILLINGS[:1]), **_cells(rows), **RATIO}
    ),
    "explanations-claims": statements,
    "explanations-gains": _gains,
    "explanations-accuracy": lambda rows: _gains(rows, " accuracy"),
    "explanations-dissimilarity": lambda rows: _table(rows, _areas("dissimilarity")),
    "explanations-checks": _checks,
}
"""What the page has and other pages can show, by the names in their markers: areas under the score,
cell ablation and cost; where xCos stands; gains over a random map on the same verifier, and those
of areas under the accuracy; areas for dissimilarity maps; sanity checks and cost. A column is there
if it was measured."""
