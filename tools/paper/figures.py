"""Pictures of the results: the paper's numbers hollow, ours filled."""

from collections.abc import Sequence

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
    figure, axes = _axes([row_label(row) for row in rows], 0.3)
    colours = _colours(rows)
    for place, row in enumerate(rows):
        if row.accuracy is None:
            _write(axes, place, row.status)
            continue
        ours = row.source == OURS
        axes.errorbar(
            100 * row.accuracy,
            place,
            xerr=100 * row.accuracy_std if ours else None,
            fmt=STYLES[row.score][0] if ours else "o",
            color=colours[row.preset] if ours else INK,
            markerfacecolor=None if ours else "none",
            capsize=2,
        )
        axes.annotate(
            f"{100 * row.accuracy:.2f}",
            (1.01, place),
            xycoords=("axes fraction", "data"),
            va="center",
        )
    axes.set_xlabel(what)
    axes.grid(axis="x", alpha=0.3)
    return figure


def draw_sets(rows: Sequence[Accuracy], what: str) -> Figure:
    """Draw a line for each set, with a mark for each number."""
    sets = list(dict.fromkeys(row.set for row in rows))
    figure, axes = _axes(sets, 0.6)
    colours = _colours(rows)
    columns = list(dict.fromkeys(row.column for row in rows if row.source == PAPER))
    labels = set()
    for row in rows:
        if row.accuracy is None:
            continue
        place, label = sets.index(row.set), row_label(row)
        if row.source == PAPER:
            group, kind = divmod(columns.index(row.column), len(PAPER_MARKS))
            look = {"marker": PAPER_MARKS[kind], "color": (INK, GREY)[group]}
            look |= {"markerfacecolor": "none"}
        else:
            look = {"marker": STYLES[row.score][0], "color": colours[row.preset]}
        axes.plot(
            100 * row.accuracy,
            place + (-0.17 if row.source == PAPER else 0.17),
            linestyle="none",
            label=None if label in labels else label,
            **look,
        )
        labels.add(label)
    for place, name in enumerate(sets):
        ours = [row for row in rows if row.set == name and row.source == OURS]
        if all(row.accuracy is None for row in ours):
            _write(axes, place + 0.22, "not run")
    axes.set_xlabel(what)
    axes.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside right upper", fontsize=7)
    return figure


def draw_shares(rows: Sequence[Accuracy], what: str) -> Figure:
    """Draw accuracy against the share that is covered, one line for each score of each preset."""
    figure = Figure(figsize=(8, 4.5), layout="constrained", facecolor="white")
    axes = figure.subplots()
    colours = _colours(rows)
    lines: dict[str, list[Accuracy]] = {}
    for row in rows:
        if row.accuracy is not None:
            lines.setdefault(row.column, []).append(row)
    for column, points in lines.items():
        mark, line = STYLES[points[0].score]
        axes.plot(
            [100 * point.share for point in points],
            [100 * point.accuracy for point in points],
            linestyle=line,
            marker=mark,
            markersize=4,
            color=colours[points[0].preset],
            label=column,
        )
    if lines:
        figure.legend(loc="outside right upper", fontsize=7)
    else:
        axes.annotate("not run", (0.5, 0.5), xycoords="axes fraction", ha="center", color=GREY)
    axes.set_xlabel("share of one face that is covered, %")
    axes.set_ylabel(what)
    axes.grid(alpha=0.3)
    return figure


def draw_costs(rows: Sequence[Cost]) -> Figure:
    """Draw the ratio of the times with and without xCos."""
    figure, axes = _axes([row.source for row in rows], 0.3)
    for place, row in enumerate(rows):
        if row.without_ms is None:
            _write(axes, place, row.status)
            continue
        ratio, ours = row.with_ms / row.without_ms, row.source == OURS
        axes.barh(place, ratio, height=0.6, color=COLOURS[0] if ours else "white", edgecolor=INK)
        axes.annotate(
            f"{ratio:.2f}", (ratio, place), (4, 0), textcoords="offset points", va="center"
        )
    axes.axvline(1, color=GREY, linewidth=0.8)
    axes.set_xlabel("time for one pair with xCos / without")
    axes.margins(x=0.1)
    return figure


def row_label(row: Accuracy) -> str:
    """Return how a row's column is called."""
    return f"{row.column} (paper)" if row.source == PAPER else row.column


def _axes(labels: Sequence[str], height: float) -> tuple[Figure, Axes]:
    """Return axes with a line for each label, from above."""
    figure = Figure(
        figsize=(8, 0.9 + height * len(labels)), layout="constrained", facecolor="white"
    )
    axes = figure.subplots()
    axes.set_yticks(range(len(labels)), labels)
    axes.set_ylim(len(labels) - 0.5, -0.5)
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _write(axes: Axes, place: float, words: str) -> None:
    """Write in the place of a number."""
    axes.annotate(words, (0.01, place), xycoords=("axes fraction", "data"), va="center", color=GREY)


def _colours(rows: Sequence[Accuracy]) -> dict[str, str]:
    """Return a colour for each preset."""
    presets = dict.fromkeys(row.preset for row in rows if row.source == OURS)
    return {preset: COLOURS[i % len(COLOURS)] for i, preset in enumerate(presets)}
