"""Pictures of the results: the paper's numbers hollow, ours filled."""

from collections.abc import Sequence
from itertools import cycle

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from tools.paper.rows import OURS, PAPER, Accuracy, Cost

# Okabe and Ito's colours, which the colour-blind can tell apart; black is for the paper.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")
INK, GREY = "#222222", "#888888"
STYLES = {  # of each score: mark and line
    "cosine": ("o", "--"),
    "patched": ("s", ":"),
    "correlated": ("^", "-."),
    "learned": ("D", "-"),
    "flattened": ("v", (0, (5, 5))),
}
PAPER_MARKS = "os^D"  # baseline, U, P and L, as STYLES has them


def draw_column(rows: Sequence[Accuracy], what: str) -> Figure:
    """Draw a line for each row, its accuracy with the spread over folds, or why there is none."""
    figure, axes = _axes([row_label(row) for row in rows], 0.3, what)
    colours = _colours(rows)
    for place, row in enumerate(rows):
        if row.accuracy is None:
            _write(axes, place, row.status)
            continue
        look = {"fmt": "o", "color": INK, "markerfacecolor": "none"}
        if row.source == OURS:
            look = {"fmt": STYLES[row.score][0], "color": colours[row.preset]}
            look["xerr"] = 100 * row.accuracy_std
        axes.errorbar(100 * row.accuracy, place, capsize=2, **look)
        _write(axes, place, f"{100 * row.accuracy:.2f}", 1.01, "black")
    return figure


def draw_sets(rows: Sequence[Accuracy], what: str) -> Figure:
    """Draw a line for each set, with a mark for each number."""
    sets = list(dict.fromkeys(row.set for row in rows))
    figure, axes = _axes(sets, 0.6, what)
    colours = _colours(rows)
    columns = list(dict.fromkeys(row.column for row in rows if row.source == PAPER))
    labels = set()
    for row in (row for row in rows if row.accuracy is not None):
        place, label = sets.index(row.set) + 0.17, row_label(row)
        if row.source == PAPER:
            place -= 0.34
            group, kind = divmod(columns.index(row.column), len(PAPER_MARKS))
            look = {"marker": PAPER_MARKS[kind], "color": (INK, GREY)[group]}
            look |= {"markerfacecolor": "none"}
        else:
            look = {"marker": STYLES[row.score][0], "color": colours[row.preset]}
        look["label"] = None if label in labels else label
        axes.plot(100 * row.accuracy, place, linestyle="none", **look)
        labels.add(label)
    for place, name in enumerate(sets):
        if all(x.accuracy is None for x in rows if x.set == name and x.source == OURS):
            _write(axes, place + 0.22, "not run")
    figure.legend(loc="outside right upper", fontsize=7)
    return figure


def draw_shares(rows: Sequence[Accuracy], what: str) -> Figure:
    """Draw accuracy against the share that is covered, one line for each score of each preset."""
    figure = Figure(figsize=(8, 4.5), layout="constrained", facecolor="white")
    axes = figure.subplots()
    colours = _colours(rows)
    known = [row for row in rows if row.accuracy is not None]
    for column in dict.fromkeys(row.column for row in known):
        points = [row for row in known if row.column == column]
        mark, line = STYLES[points[0].score]
        look = {"linestyle": line, "marker": mark, "color": colours[points[0].preset]}
        ends = zip(*((100 * point.share, 100 * point.accuracy) for point in points), strict=True)
        axes.plot(*ends, markersize=4, label=column, **look)
    if known:
        figure.legend(loc="outside right upper", fontsize=7)
    else:
        axes.annotate("not run", (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)
    axes.set(xlabel="share of one face that is covered, %", ylabel=what)
    axes.grid(alpha=0.3)
    return figure


def draw_costs(rows: Sequence[Cost]) -> Figure:
    """Draw the ratio of the times with and without xCos."""
    figure, axes = _axes([row.source for row in rows], 0.3, "time for one pair with xCos / without")
    axes.grid(False)
    for place, row in enumerate(rows):
        if row.without_ms is None:
            _write(axes, place, row.status)
            continue
        colour = COLOURS[0] if row.source == OURS else "white"
        bar = axes.barh(place, row.with_ms / row.without_ms, 0.6, color=colour, edgecolor=INK)
        axes.bar_label(bar, fmt="%.2f", padding=4)
    axes.axvline(1, color=GREY, linewidth=0.8)
    axes.margins(x=0.1)
    return figure


def row_label(row: Accuracy) -> str:
    """Return how a row's column is called."""
    return f"{row.column} (paper)" if row.source == PAPER else row.column


def _axes(labels: Sequence[str], height: float, what: str) -> tuple[Figure, Axes]:
    """Return axes with a line for each label, from above."""
    size = (8, 0.9 + height * len(labels))
    figure = Figure(figsize=size, layout="constrained", facecolor="white")
    axes = figure.subplots()
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_xlabel(what)
    axes.grid(axis="x", alpha=0.3)
    return figure, axes


def _write(axes: Axes, place: float, words: str, x: float = 0.01, colour: str = GREY) -> None:
    """Write at the place of a number, or beside it."""
    axes.annotate(words, (x, place), xycoords=("axes fraction", "data"), va="center", color=colour)


def _colours(rows: Sequence[Accuracy]) -> dict[str, str]:
    """Return a colour for each preset."""
    presets = dict.fromkeys(row.preset for row in rows if row.source == OURS)
    return dict(zip(presets, cycle(COLOURS), strict=False))
