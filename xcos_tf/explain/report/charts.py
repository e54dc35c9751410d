"""The report's charts: ROC, DET, histograms of scores, and accuracy under occlusion.

A score is drawn the same in every chart and in the legend.

Drawn with matplotlib's objects alone: no pyplot, no window, no global settings. No name of a
user's is in a picture; the page's legend says which line is whose.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from scipy.special import ndtri

from xcos_tf.drawing import default_look
from xcos_tf.evaluation.measurement import UnderOcclusion
from xcos_tf.explain.panels import GREY, INK
from xcos_tf.metrics.curves import Curve, thin

IMPOSTOR = "#9aa3ad"
_FAINT = "#dfe3e8"
_BINS = 60
_DODGE = 0.004
_DEVIATE_TICKS = (1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 0.99)
_WORST_DRAWN = 0.4  # error rates beyond are of no use, unless a score is that bad
# Dark enough to be read on white (contrast 4.5:1 or more), and distinguished by the colour-blind
# together with the dashes.
_COLOURS = ("#1f5fa8", "#c2410c", "#0f766e", "#7e22ce", "#92610a", "#be185d", "#475569", "#3f7a0a")
_DASHES = ((), (5, 2), (1.5, 1.5), (7, 2, 1.5, 2))
_MARKERS = "osD^vPX*"


class Score(NamedTuple):
    """Which score of which preset; see `ScoredPairs`."""

    preset: str
    score: str

    def __str__(self) -> str:
        return f"{self.preset} ({self.score})"


class Style(NamedTuple):
    """A colour, the dashes of a line (lengths of ink and gap, none for an unbroken one), a mark."""

    colour: str
    dashes: tuple[float, ...]
    marker: str

    @property
    def line(self) -> dict:
        """As matplotlib takes it."""
        return {"color": self.colour} | ({"dashes": self.dashes} if self.dashes else {})


def styles_of(scores: Iterable[Score]) -> dict[Score, Style]:
    """Return a style for each score, in the order in which they are first met.

    Up to eight differ in colour and mark, and up to 32 in colour or dashes.
    """
    styles = {}
    for i, score in enumerate(dict.fromkeys(scores)):
        turn, place = divmod(i, len(_COLOURS))
        dashes = _DASHES[(i + turn) % len(_DASHES)]
        styles[score] = Style(_COLOURS[place], dashes, _MARKERS[place])
    return styles


@default_look()
def draw_roc(curves: Mapping[Score, Curve], styles: Mapping[Score, Style], impostor: int) -> Figure:
    """Draw TAR against FMR on a logarithmic axis, as steps.

    Curves are as by `det`; one of so many `impostor` pairs is the least FMR that can be seen.
    """
    figure, axes = _canvas(4.6, 4.0)
    least = min(0.5 / impostor, 0.05)
    for score, curve in curves.items():
        fmr, fnmr = _to_the_edges(curve, least, 0)
        axes.plot(fmr, 1 - fnmr, drawstyle="steps-post", lw=1.6, **styles[score].line)
    lowest = min(curve.tar[0] for curve in curves.values())
    bottom = max(0.0, np.floor(10 * lowest - 0.2) / 10)
    axes.set(xscale="log", xlim=(least, 1), ylim=(bottom, 1 + 0.02 * (1 - bottom)))
    axes.xaxis.set_major_formatter(_PER_CENT)
    axes.xaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(_PER_CENT)
    axes.set(xlabel="false match rate (FMR)", ylabel="true accept rate (TAR)")
    return figure


@default_look()
def draw_det(
    curves: Mapping[Score, Curve], styles: Mapping[Score, Style], impostor: int, genuine: int
) -> Figure:
    """Draw FNMR against FMR, both on normal-deviate axes, as steps; and where they are equal.

    On such axes normally distributed scores give straight lines (Martin et al., "The DET curve in
    assessment of detection task performance", Eurospeech 1997). Curves are as by `det`; one of so
    many `impostor` or `genuine` pairs is the least rate that can be seen.
    """
    figure, axes = _canvas(4.6, 4.0)
    least = [min(0.5 / count, 0.05) for count in (impostor, genuine)]
    # Where the two errors are equal, the worst of the curves is to be well inside.
    equal = max(np.maximum(curve.fmr, curve.fnmr).min() for curve in curves.values())
    most = max(_WORST_DRAWN, min(0.99, 1.5 * equal))
    for score, curve in curves.items():
        fmr, fnmr = (ndtri(np.minimum(rates, 0.999)) for rates in _to_the_edges(curve, *least))
        axes.plot(fmr, fnmr, drawstyle="steps-post", lw=1.6, **styles[score].line)
    ends = ndtri([max(least), most])
    axes.plot(ends, ends, color=IMPOSTOR, lw=0.8, zorder=1)
    for axis, limits, low in (
        (axes.xaxis, axes.set_xlim, least[0]),
        (axes.yaxis, axes.set_ylim, least[1]),
    ):
        ticks = [rate for rate in _DEVIATE_TICKS if low <= rate <= most]
        axis.set_major_locator(FixedLocator(ndtri(ticks)))
        axis.set_major_formatter(FuncFormatter(lambda _, i, ticks=ticks: _per_cent(ticks[i])))
        limits(*ndtri([low, most]))
    axes.set(xlabel="false match rate (FMR)", ylabel="false non-match rate (FNMR)")
    return figure


@default_look()
def draw_histogram(
    values: np.ndarray,
    same: np.ndarray,
    limits: tuple[float, float],
    style: Style,
    threshold: float | None,
) -> Figure:
    """Draw how the scores of genuine and of impostor pairs are spread.

    Args:
        values: float (P,).
        same: bool (P,).
        limits: of the axis of scores, the same in all histograms that are to be compared.
        style: of the score; genuine pairs have its colour, impostors are grey.
        threshold: to mark, if there is one.
    """
    figure, axes = _canvas(4.6, 2.7)
    edges = np.linspace(*limits, _BINS + 1)
    for kind, name, colour in (
        (~same, "impostor pairs", IMPOSTOR),
        (same, "genuine pairs", style.colour),
    ):
        share = np.histogram(values[kind], edges)[0] / kind.sum()
        axes.stairs(share, edges, fill=True, color=colour, alpha=0.45, lw=0)
        axes.stairs(share, edges, color=colour, lw=1.2, label=name)
    if threshold is not None:
        axes.axvline(threshold, color=INK, lw=1.2, dashes=(4, 2), label="threshold")
    axes.set(xlim=limits, xlabel="score", ylabel="share of pairs")
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_formatter(_PER_CENT)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}".replace("-", "−")))
    look = {"frameon": False, "fontsize": 9, "handlelength": 1.6, "columnspacing": 1.4}
    figure.legend(loc="outside upper center", ncols=3, **look)
    return figure


@default_look()
def draw_occlusion(
    lines: Mapping[Score, Sequence[UnderOcclusion]], styles: Mapping[Score, Style]
) -> Figure:
    """Draw accuracy against the covered share of one face, with ± one standard deviation."""
    figure, axes = _canvas(4.6, 4.0)
    shares = sorted({row.share for rows in lines.values() for row in rows})
    for place, (score, rows) in enumerate(lines.items()):
        share, accuracy, std = np.array([(x.share, x.accuracy, x.accuracy_std) for x in rows]).T
        style = styles[score]
        # Side by side, so that the spreads do not hide each other.
        share = share + _DODGE * (place - (len(lines) - 1) / 2)
        axes.plot(share, accuracy, lw=1.6, marker=style.marker, ms=4, **style.line)
        axes.errorbar(share, accuracy, std, fmt="none", ecolor=style.colour, lw=0.8, capsize=1.5)
    axes.yaxis.set_major_formatter(_PER_CENT)
    axes.xaxis.set_major_formatter(_PER_CENT)
    axes.xaxis.set_major_locator(FixedLocator(shares))
    axes.set(xlabel="covered share of one face of each pair", ylabel="accuracy")
    return figure


def _canvas(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), facecolor="white", layout="constrained")
    axes = figure.add_subplot()
    axes.grid(color=_FAINT, lw=0.7)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9, colors=INK, length=3, width=0.6)
    axes.xaxis.label.set(fontsize=10, color=INK)
    axes.yaxis.label.set(fontsize=10, color=INK)
    for side, spine in axes.spines.items():
        spine.set(linewidth=0.7, color=GREY, visible=side in ("left", "bottom"))
    return figure, axes


def _to_the_edges(curve: Curve, *least: float) -> list[np.ndarray]:
    """Return FMR and FNMR, thinned, none below its `least`, and on to where all pairs pass."""
    curve = thin(curve)
    ends = np.append(curve.fmr, 1), np.append(curve.fnmr, curve.fnmr[-1])
    return [np.maximum(rates, low) for rates, low in zip(ends, least, strict=True)]


def _per_cent(rate: float) -> str:
    return f"{100 * rate:.6f}".rstrip("0").rstrip(".") + " %"


_PER_CENT = FuncFormatter(lambda rate, _: _per_cent(rate))
