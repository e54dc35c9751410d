"""Curves of deletion and insertion, a line for each method."""

from collections.abc import Sequence

from matplotlib.figure import Figure

from tools.explanations.rows import CONTROL, DISSIMILARITY, SIMILARITY, CurvePoint
from tools.paper.figures import COLOURS, INK
from tools.paper.tables import LETTERS

WIDTH, HEIGHT = 3.0, 2.6  # of a panel, inches
LINES = ("-", "--", ":")


def draw_curves(points: Sequence[CurvePoint]) -> Figure:
    """Draw accuracy against the share of pixels, a row for each kind of map and preset."""
    found = dict.fromkeys(_row(point) for point in points)
    rows = [row for kind in (SIMILARITY, DISSIMILARITY) for row in found if row[0] == kind]
    columns = list(dict.fromkeys(_column(point) for point in points))
    figure = Figure(
        figsize=(WIDTH * len(columns) + 2, HEIGHT * len(rows) + 0.4),
        layout="constrained",
        facecolor="white",
    )
    looks = _looks(points)
    panels = figure.subplots(len(rows), len(columns), sharex=True, sharey=True, squeeze=False)
    for row, of_row in zip(rows, panels, strict=True):
        chosen = [point for point in points if _row(point) == row]
        drawn = dict.fromkeys(map(_who, chosen))
        for column, axes in zip(columns, of_row, strict=True):
            for who in drawn:
                line = [x for x in chosen if _column(x) == column and _who(x) == who]
                axes.plot(
                    [100 * point.share for point in line],
                    [100 * point.accuracy for point in line],
                    label=who,
                    **looks[who],
                )
            axes.set_title(", ".join(column), fontsize=9)
            axes.grid(alpha=0.3)
        kind, preset = row
        of_row[0].set_ylabel(f"{kind} maps,\naccuracy of\n{preset}, %", fontsize=8)
        of_row[-1].legend(loc="center left", bbox_to_anchor=(1.02, 0.5), fontsize=7, frameon=False)
    for axes in panels[-1]:
        axes.set_xlabel("pixels removed or revealed, %", fontsize=8)
    return figure


def _row(point: CurvePoint) -> tuple[str, str]:
    return point.measure.split()[0], point.preset


def _column(point: CurvePoint) -> tuple[str, str]:
    return point.measure.split()[1], point.filling


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
        if method == CONTROL:
            line = LINES[controls.index(who) % len(LINES)]
            looks[who] = {"color": INK, "linestyle": line, "linewidth": 0.8}
        else:
            round_, colour = divmod(rivals.index(method), len(COLOURS))
            looks[who] = {"color": COLOURS[colour], "linestyle": LINES[round_ % len(LINES)]}
    return looks
