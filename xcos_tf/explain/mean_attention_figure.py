"""The mean attention map of a set beside its mean face, and the share of weight of each region."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from xcos_tf.drawing import default_look
from xcos_tf.explain.face_panel import draw_face
from xcos_tf.explain.figure import DPI, map_panels
from xcos_tf.explain.inches import square, write
from xcos_tf.explain.map_panel import GREY, INK, draw_map
from xcos_tf.explain.mean_attention import WeightShare

# Inches.
_SIDE, _LEFT, _BOTTOM, _STEP = 2.3, 0.15, 0.14, 2.5
_AXIS = 0.34  # below the bars
_WIDTH, _HEIGHT = 8.7, 3.2
_PURPLE = "#6a51a3"  # of the map


@default_look()
def draw_mean_attention(
    attention_maps: np.ndarray,
    mean_face: np.ndarray,
    shares: Sequence[WeightShare],
    title: str,
    subtitle: str = "",
    attention_name: str = "",
) -> Figure:
    """Draw the mean face of a set, the mean of W with its values, and a bar for each region.

    A bar shows the mean share of the weight in per cent and its standard deviation over pairs; a
    tick shows what the region would have if all cells weighed alike.

    Args:
        attention_maps: W of each pair, float (P, h, w).
        mean_face: uint8 (112, 112, 3) RGB.
        shares: of the regions, the first on top.
        title: of the picture.
        subtitle: what was measured.
        attention_name: which W it is, such as "learned".

    Returns:
        A figure of 8.7×3.2 inches, 200 dots per inch; `save_figure` writes it.
    """
    figure = Figure(figsize=(_WIDTH, _HEIGHT), dpi=DPI, facecolor="white")
    write(figure, _LEFT, _HEIGHT - 0.12, title, fontsize=12, weight="bold")
    write(figure, _LEFT, _HEIGHT - 0.37, subtitle, fontsize=7.5, color=GREY)
    mean = attention_maps.mean(axis=0, dtype=np.float64)
    face_axes = square(figure, _LEFT, _BOTTOM, _SIDE)
    draw_face(face_axes, mean_face, mean.shape)
    face_axes.set_title("mean face of the set", fontsize=9, loc="left", pad=4)
    _, panel, _ = map_panels(np.zeros_like(mean), mean, attention_name)
    draw_map(square(figure, _LEFT + _STEP, _BOTTOM, _SIDE), panel, _SIDE)
    left = _LEFT + 2 * _STEP + 1.35
    rectangle = (left / _WIDTH, (_BOTTOM + _AXIS) / _HEIGHT, (_WIDTH - left - 0.12) / _WIDTH)
    _draw_bars(figure.add_axes((*rectangle, (_SIDE - _AXIS) / _HEIGHT)), shares)
    return figure


def _draw_bars(axes: Axes, shares: Sequence[WeightShare]) -> None:
    places = np.arange(len(shares))
    means, spreads, even = (
        100 * np.array([getattr(share, name) for share in shares])
        for name in ("mean", "spread", "cells")
    )
    axes.barh(
        places,
        means,
        xerr=spreads,
        color=_PURPLE,
        error_kw={"elinewidth": 0.6, "ecolor": INK},
        height=0.7,
    )
    axes.vlines(even, places - 0.42, places + 0.42, color="#e6850e", linewidth=1.2)
    axes.set_yticks(places, [share.part for share in shares], fontsize=6)
    axes.set(ylim=(len(shares) - 0.4, -0.6), xlim=(0, None))
    axes.xaxis.set_major_locator(MaxNLocator(5, integer=True))
    axes.tick_params(axis="x", labelsize=6.5)
    axes.tick_params(length=2, width=0.5, pad=1.5, colors=INK)
    axes.set_xlabel("% of the weight; orange: if even", fontsize=7, labelpad=2, color=INK)
    axes.set_title("share of each region", fontsize=9, loc="left", pad=4)
    axes.spines[["top", "right"]].set_visible(False)
    for spine in axes.spines.values():
        spine.set(linewidth=0.6, color=GREY)
