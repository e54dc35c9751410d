"""The page of the benchmark: tables, what they mean, and the curves."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from tools.explanations.summary import (
    MAIN,
    CurvePoint,
    Lead,
    Measure,
    curve_points,
    leads,
    measures,
)
from tools.explanations.tables import TABLES, UNCHANGED, on_impostors, statements
from tools.paper.figures import COLOURS, INK
from tools.paper.rows import LETTERS
from tools.paper.tables import on
from tools.results import Report
from xcos_tf.evaluation.drawn_pairs import SEED
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.explain.benchmark.measuring import COMPARED_PAIRS, CONTROL, Found
from xcos_tf.verifier import DEFAULT_FMR

WIDTH, HEIGHT = 3.0, 2.6  # of a panel, inches
LINES = ("-", "--", ":")


def page(found: Sequence[tuple[VerificationSet, Sequence[Found]]]) -> Report:
    """Return everything that was measured of all contenders, on pairs of each set."""
    rows, compared, points, notes = [], [], [], []
    for vset, of_set in found:
        rows += measures(of_set, vset.name, vset.fingerprint)
        compared += leads(of_set, vset.name, vset.fingerprint)
        curves = curve_points(of_set, vset.name, vset.fingerprint)
        points += curves
        drawn = f"{len(of_set[0].same):,} pairs, half of them genuine"
        notes += [*on(vset), f"{drawn}, were drawn by seed {SEED}."]
        notes.append(on_impostors(curves))
    words = {
        "tables": {
            **{name: make(rows) for name, make in TABLES.items()},
            "claims": statements(compared),
        },
        "notes": notes,
        "first": found[0][0].name,
        "compared": min(COMPARED_PAIRS, *(len(of_set[0].same) for _, of_set in found)),
        "checked": max((row.pairs for row in rows if row.measure == "shift"), default=0),
        "presets": dict.fromkeys((row.preset, row.preset_sha256) for row in rows),
        "missing": (),
        "control": CONTROL,
        "unchanged": f"{UNCHANGED:g}",
        "fmr": f"{DEFAULT_FMR:g}",
    }
    files = {
        "explanations.csv": (Measure, rows),
        "explanations-leads.csv": (Lead, compared),
        "explanations-curves.csv": (CurvePoint, points),
    }
    figure = draw_curves([point for point in points if point.fill == MAIN])
    return Report("explanations", files, words, figure)


def draw_curves(points: Sequence[CurvePoint]) -> Figure:
    """Draw the score against the share of pixels, a row for each preset and a column for each
    kind of pair and curve; of several sets, the first."""
    places: dict[tuple, list[CurvePoint]] = {}  # of a row, a column and a line
    for point in points:
        if point.set == points[0].set:
            place = point.preset, point.measure, _who(point)
            places.setdefault(place, []).append(point)
    rows, columns = (list(dict.fromkeys(place[i] for place in places)) for i in (0, 1))
    size = (WIDTH * len(columns) + 2, HEIGHT * len(rows) + 0.4)
    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    panels = figure.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False)
    looks = _looks(points)
    for (row, column, who), line in places.items():
        panels[rows.index(row), columns.index(column)].plot(
            [100 * point.share for point in line],
            [point.value for point in line],
            label=who,
            **looks[who],
        )
    for preset, of_row in zip(rows, panels, strict=True):
        for column, axes in zip(columns, of_row, strict=True):
            axes.set_title(f"{column.replace(' ', ' pairs, ')}", fontsize=9)
            axes.grid(alpha=0.3)
        of_row[0].set_ylabel(f"score of\n{preset}", fontsize=8)
        of_row[-1].legend(loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=7, frameon=False)
    for axes in panels[-1]:
        axes.set_xlabel("pixels removed or revealed, %", fontsize=8)
    return figure


def _who(point: CurvePoint) -> str:
    letter = LETTERS.get(point.score, point.score)
    return f"{point.method} ({letter})" if len(letter) == 1 else point.method


def _looks(points: Sequence[CurvePoint]) -> dict[str, dict]:
    """Return a colour and a line for each method; the control's are thin and of ink."""
    methods = {_who(point): point.method for point in points}
    rivals = [method for method in dict.fromkeys(methods.values()) if method != CONTROL]
    controls = [who for who, method in methods.items() if method == CONTROL]
    looks = {}
    for who, method in methods.items():
        turn, colour = divmod(rivals.index(method), len(COLOURS)) if method in rivals else (0, 0)
        looks[who] = {"color": COLOURS[colour], "linestyle": LINES[turn % len(LINES)]}
        if method == CONTROL:
            line = LINES[controls.index(who) % len(LINES)]
            looks[who] = {"color": INK, "linestyle": line, "linewidth": 0.8}
    return looks
