"""The benchmark's numbers as Markdown, made from the rows alone."""

from collections.abc import Callable, Sequence

from tools.explanations.rows import CONTROL, CURVES, XCOS, Measure
from tools.paper.rows import LETTERS
from tools.results import minus, pivot
from xcos_tf.explain.faithfulness.fillings import FILLINGS

NONE = "–"
# Which way is better, of a mean.
ARROWS = {"deletion": " ↓", "insertion": " ↑", "cell ablation": " ↑"}
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
    """Return, for each measure of faithfulness, a sentence that says plainly where xCos stands."""
    lines = []
    verifiers = dict.fromkeys((row.method, row.preset, row.score) for row in rows)
    methods = [method for method, _, _ in verifiers]

    def called(row: Measure) -> str:
        return f"{row.method} (on {row.preset})" if methods.count(row.method) > 1 else row.method

    ranked: dict[Place, list[Measure]] = {}
    for row in rows:
        if row.gain is not None and row.measure.split()[0] not in ("genuine", "impostor"):
            ranked.setdefault((row.measure, row.detail), []).append(row)
    for (measure, detail), of_measure in ranked.items():
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
        said = [f"{words} {', '.join(map(called, of))}" for words, of in groups.items() if of]
        lines.append(
            f"- {measure[0].upper()}{measure[1:]}, {detail}: xcos takes place {place} of "
            f"{len(of_measure)}; it is {'; '.join(said)}."
        )
    return "\n".join(lines)


def _areas(kind: str) -> dict[str, Place]:
    """Return {heading: place} of the areas for a kind of maps or pairs."""
    curves = [_fillings(f"{kind} {curve}", ARROWS[curve]) for curve in CURVES]
    return {heading: place for of_curve in curves for heading, place in of_curve.items()}


def _fillings(measure: str, arrow: str) -> dict[str, Place]:
    return {f"{measure}, {filling}{arrow}": (measure, filling) for filling in FILLINGS}


def _gains(rows: Sequence[Measure], *kinds: str) -> str:
    columns = {x[:-2]: place for kind in kinds for x, place in _areas(kind).items()}
    return _table([row for row in rows if row.method != CONTROL], columns, _gain)


def _table(
    rows: Sequence[Measure], columns: dict[str, Place], cell: Callable[[Measure], str] | None = None
) -> str:
    cells = []
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
    return minus(f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})")


def _gain(row: Measure) -> str:
    return minus(f"{row.gain:+.3f} ({row.gain_low:+.3f} to {row.gain_high:+.3f})")


def _checks(rows: Sequence[Measure]) -> str:
    last = max((row.detail for row in rows if row.measure == "random weights"), default="")
    columns = {
        "all weights random (0 is right)": ("random weights", last),
        "shift by a pixel (1 is right)": ("shift", ""),
        "A and B swapped (0 is right)": ("swap", ""),
    }
    return _table(rows, {**columns, **COSTS})


CELLS = _fillings("cell ablation", ARROWS["cell ablation"])
TABLES: dict[str, Callable[[Sequence[Measure]], str]] = {
    "explanations": lambda rows: _table(rows, {**_areas("similarity"), **CELLS, **RATIO}),
    "explanations-claims": statements,
    "explanations-gains": lambda rows: _gains(rows, "similarity", "dissimilarity"),
    "explanations-kinds": lambda rows: _gains(rows, "genuine", "impostor"),
    "explanations-dissimilarity": lambda rows: _table(rows, _areas("dissimilarity")),
    "explanations-checks": _checks,
}
"""What the page has and other pages can show, by the names in their markers: areas for similarity
maps, cell ablation and cost; where xCos stands; gains over a random map on the same verifier, and
those on genuine and on impostor pairs; areas for dissimilarity maps; sanity checks and cost."""
