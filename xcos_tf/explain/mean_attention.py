"""Where a set's pairs have their weight: shares of regions, the paper's claim, and a picture."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from xcos_tf.drawing import default_look
from xcos_tf.explain.canvas import new_figure, place, square
from xcos_tf.explain.panels import GREY, INK, draw_face, draw_map, map_panels
from xcos_tf.explain.regions import region_map, region_masks

MOUTH_AND_CHIN = ("left mouth corner", "mouth", "right mouth corner", "chin")
CENTRAL = 3 / 7  # of the width: three columns of the paper's seven

# Inches.
_SIDE, _LEFT, _BOTTOM, _STEP = 2.3, 0.15, 0.14, 2.5
_AXIS = 0.34  # below the bars
_WIDTH, _HEIGHT = 8.7, 3.2
_PURPLE = "#6a51a3"  # of the map


class WeightShare(NamedTuple):
    """How much of a pair's weight lies in a part of the face: the mean over pairs and its spread.

    `cells` is what an even W would give it; `genuine` and `impostor` are the means over pairs of
    that kind, NaN where there are none.
    """

    part: str
    cells: float
    mean: float
    spread: float
    genuine: float
    impostor: float


def region_shares(attention_maps: np.ndarray, same: np.ndarray) -> list[WeightShare]:
    """Return the share of each region, the one with the most weight first.

    Args:
        attention_maps: W of each pair, float (P, h, w), each of which sums to 1.
        same: bool (P,), which pairs are genuine.
    """
    shares = _shares(region_masks(*attention_maps.shape[1:]), attention_maps, same)
    return sorted(shares, key=lambda share: -round(share.mean, 9))


def claimed_shares(attention_maps: np.ndarray, same: np.ndarray) -> list[WeightShare]:
    """Return the shares of where the paper (Fig. 3) sees attention: the centre, mouth and chin.

    Central columns are those whose middle lies in the middle three sevenths of the face.
    """
    height, width = attention_maps.shape[1:]
    middles = (np.arange(width) + 0.5) / width
    central = np.broadcast_to(np.abs(middles - 0.5) < CENTRAL / 2, (height, width))
    low = np.isin(region_map(height, width), MOUTH_AND_CHIN)
    return _shares({"central columns": central, "mouth and chin": low}, attention_maps, same)


def _shares(parts: dict[str, np.ndarray], attention_maps, same) -> list[WeightShare]:
    """Return the share of each part, given as {name: bool (h, w)}."""
    found = []
    for name, inside in parts.items():
        shares = attention_maps[:, inside].sum(axis=1, dtype=np.float64)
        kinds = [shares[kind].mean() if kind.any() else np.nan for kind in (same, ~same)]
        found.append(WeightShare(name, inside.mean(), shares.mean(), shares.std(), *kinds))
    return found


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
        title, subtitle: of the picture.
        attention_name: which W it is, such as "learned".
    """
    figure = new_figure(_WIDTH, _HEIGHT, title, subtitle, _LEFT)
    mean = attention_maps.mean(axis=0, dtype=np.float64)
    face_axes = square(figure, _LEFT, _BOTTOM, _SIDE)
    draw_face(face_axes, mean_face, mean.shape)
    face_axes.set_title("mean face of the set", fontsize=9, loc="left", pad=4)
    _, panel, _ = map_panels(np.zeros_like(mean), mean, attention_name)
    draw_map(square(figure, _LEFT + _STEP, _BOTTOM, _SIDE), panel, _SIDE)
    left = _LEFT + 2 * _STEP + 1.35
    room = _WIDTH - left - 0.12, _SIDE - _AXIS
    _draw_bars(place(figure, left, _BOTTOM + _AXIS, *room), shares)
    return figure


def _draw_bars(axes: Axes, shares: Sequence[WeightShare]) -> None:
    places = np.arange(len(shares))
    means, spreads, even = (
        100 * np.array([getattr(share, name) for share in shares])
        for name in ("mean", "spread", "cells")
    )
    errors = {"elinewidth": 0.6, "ecolor": INK}
    axes.barh(places, means, xerr=spreads, color=_PURPLE, error_kw=errors, height=0.7)
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
