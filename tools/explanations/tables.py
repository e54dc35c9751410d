"""The benchmark's numbers as Markdown, made from the rows alone."""

from collections.abc import Callable, Sequence
from functools import partial

from tools.explanations.summary import AREAS, MAIN, OURS, CurvePoint, Lead, Measure, is_better_high
from tools.paper.rows import LETTERS
from tools.results import minus
from xcos_tf.evaluation.results_text import markdown_table
from xcos_tf.explain.benchmark.measuring import CELL_FILLS, CONTROL, FILLS

NONE = "–"
FAILED = " ✗"
UNCHANGED = 0.4
"""A method whose maps correlate so far with those under random weights fails the check."""
SHORT = (*OURS, "corrrise", "occlusion", "face-centre")
"""What a newcomer is shown, on xCos's own score."""
ABLATIONS = {f"cell ablation, {x} ↑": ("cell ablation", x) for x in CELL_FILLS}
OTHERS = FILLS[1:]
GENUINE, IMPOSTOR = AREAS[:2], AREAS[2:]
ACCURACY = [f"{area} accuracy" for area in AREAS]
RATIO = {"time, × a plain verification": ("ratio", "")}
CHECKS_AND_COSTS = {
    "all weights random (0 is right)": ("random weights", ""),
    "shift by a pixel (1 is right)": ("shift", ""),
    **RATIO,
    "faces forward": ("forward passes", ""),
    "backward": ("backward passes", ""),
}
Columns = dict[str, tuple[str, str]]
"""{heading: a measure, and its fill or other detail}."""


def has_failed(row: Measure) -> bool:
    """Whether it says that a method's maps hardly depend on the weights."""
    return row.measure == "random weights" and row.value >= UNCHANGED


def statements(leads: Sequence[Lead]) -> str:
    """Return, for each set and measure by the main fill, how our maps compare with others."""
    places: dict[tuple, list[Lead]] = {}
    for row in leads:
        places.setdefault((row.method, row.set, row.measure, row.detail), []).append(row)
    lines = []
    for (method, where, measure, detail), rivals in places.items():
        groups = {
            "worse than": [x.other for x in rivals if x.high < 0],
            "better than": [x.other for x in rivals if x.low > 0],
            "not significantly different from": [x.other for x in rivals if x.low <= 0 <= x.high],
        }
        said = [f"{words} {', '.join(of)}" for words, of in groups.items() if of]
        lines.append(f"- {where}, {measure}, {detail}: {method} is {'; '.join(said)}.")
    return "\n".join(lines)


def on_impostors(points: Sequence[CurvePoint]) -> str:
    """Return how many verdicts on impostor pairs accept them at most, whatever the map."""
    rates: dict[float, list[float]] = {}  # by the share of the pixels that is removed
    for x in points:
        if x.fill == MAIN and x.measure in IMPOSTOR:
            removed = x.share if x.measure == "impostor deletion" else 1 - x.share
            rates.setdefault(removed, []).append(100 * (1 - x.accuracy))
    whole, gone, most = max(rates[0]), max(rates[1]), max(map(max, rates.values()))
    return (
        f"Verdicts that accept an impostor pair: {whole:.1f} % with both faces as they are, "
        f"{gone:.1f} % with all pixels of one removed, and {most:.1f} % at most at any step "
        f"of any map ({MAIN})."
    )


def _areas(measures: Sequence[str], fills: Sequence[str] = (MAIN,)) -> Columns:
    return {
        f"{measure}, {fill} {'↑' if is_better_high(measure) else '↓'}": (measure, fill)
        for fill in fills
        for measure in measures
    }


def _table(rows: Sequence[Measure], per_set: Columns, once: Columns, gains: bool = False) -> str:
    """Return a table of columns for each set, and of those that the first set tells.

    Methods that explain the same score are together.

    Args:
        rows: what was measured.
        per_set, once: the columns; those that nobody has are left out.
        gains: areas are gains over the control, which has no line.
    """
    sets = list(dict.fromkeys(row.set for row in rows)) or [""]
    by_place = {row[:6]: row for row in rows}
    failed = {row[1:4] for row in rows if has_failed(row)}
    measured = {(row.set, row.measure, row.detail) for row in rows}
    columns = {}
    for name in sets:
        for heading, place in per_set.items():
            heading = heading.rstrip(" ↑↓") if gains and place[0] != "cell ablation" else heading
            columns[f"{name}: {heading}"] = (name, *place)
    columns |= {heading: (sets[0], *place) for heading, place in once.items()}
    columns = {heading: place for heading, place in columns.items() if place in measured}
    if not columns:
        return ""
    scores = list(dict.fromkeys(row[2:4] for row in rows))
    who_is_there = dict.fromkeys(row[1:4] for row in rows)
    lines = []
    for who in sorted(who_is_there, key=lambda who: scores.index(who[1:])):
        method, preset, score = who
        if not (gains and method == CONTROL):
            cells = [method + FAILED * (who in failed), f"{preset} {LETTERS.get(score, score)}"]
            for where, *place in columns.values():
                cells.append(_text(by_place.get((where, *who, *place)), gains))
            lines.append(cells)
    return markdown_table(["method", "explains", *columns], lines)


def _text(row: Measure | None, gains: bool) -> str:
    if row is None:
        return NONE
    if row.measure in ("seconds", "ratio"):
        return f"{row.value:.3g}"
    if row.measure in ("forward passes", "backward passes"):
        return f"{row.value:,.0f}"
    if gains and row.measure != "cell ablation":
        return minus(f"{row.gain:+.3f} ({row.gain_low:+.3f} to {row.gain_high:+.3f})")
    return minus(f"{row.value:.3f} ({row.low:.3f} to {row.high:.3f})")


def _short(rows: Sequence[Measure]) -> str:
    """Return what a newcomer needs: some maps of xCos's own score."""
    some = [x for x in rows if x.score == "learned" and x.method in SHORT]
    some.sort(key=lambda row: SHORT.index(row.method))
    columns = {"cell ablation ↑": ("cell ablation", CELL_FILLS[0]), **_areas(GENUINE)}
    return _table(some, columns, RATIO, gains=True)


TABLES: dict[str, Callable[[Sequence[Measure]], str]] = {
    "explanations": _short,
    "explanations-cells": partial(_table, per_set=ABLATIONS, once=RATIO),
    "explanations-areas": partial(_table, per_set=_areas(AREAS), once={}),
    "explanations-gains": partial(_table, per_set=_areas(GENUINE), once={}, gains=True),
    "explanations-gains-impostor": partial(_table, per_set=_areas(IMPOSTOR), once={}, gains=True),
    "explanations-accuracy": partial(_table, per_set=_areas(ACCURACY), once={}, gains=True),
    "explanations-fills": partial(_table, per_set=_areas(GENUINE, OTHERS), once={}, gains=True),
    "explanations-checks": partial(_table, per_set={}, once=CHECKS_AND_COSTS),
}
"""What the page has and other pages can show, by the names in their markers. A column is there if
it was measured, and a method that failed is marked in all of them."""
