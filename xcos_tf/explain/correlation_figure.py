"""One picture of P: the cells' correlations with the teacher, and the weights they become."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from xcos_tf.drawing import default_look
from xcos_tf.explain.canvas import new_figure, save_figure, square
from xcos_tf.explain.panels import MapPanel, draw_map
from xcos_tf.explain.words import check_maps, short_title

PICTURE = "correlation.png"

# Inches.
_SIDE, _LEFT, _BOTTOM, _STEP = 2.6, 0.2, 0.18, 3.4
_WIDTH, _HEIGHT = 6.9, 3.6


@default_look()
def draw_correlation(
    raw: np.ndarray, normalised: np.ndarray, title: str, subtitle: str = ""
) -> Figure:
    """Draw p and P side by side, each with its values and a colour bar.

    White is 0 in both. Blue correlates with the teacher and red against it, on a scale that ends
    at the strongest; weights are purple, and where one is negative, blue and red too. The colours
    can be distinguished by the colour-blind.

    Args:
        raw: p, float (h, w) in [−1, 1].
        normalised: P, float (h, w) that sums to 1.
        title, subtitle: such as a preset's name, and what was measured.

    Raises:
        ValueError: the maps' shapes differ or are not (h, w), or a value is not finite.
    """
    raw, normalised = check_maps(raw, normalised)
    figure = new_figure(_WIDTH, _HEIGHT, title, subtitle, _LEFT)
    reach = max(np.abs(raw).max(), 1e-6)
    # At least twice the even share, so that an even map is not all in the strongest colour.
    most = max(np.abs(normalised).max(), 2 / normalised.size)
    scale = ("RdBu", Normalize(-most, most))
    if normalised.min() >= 0:
        scale = ("Purples", Normalize(0, most))
    panels = (
        MapPanel(raw, "p", "correlation", "RdBu", Normalize(-reach, reach), 2),
        MapPanel(normalised, "W", "p scaled to sum to 1", *scale, 3),
    )
    for column, panel in enumerate(panels):
        draw_map(square(figure, _LEFT + column * _STEP, _BOTTOM, _SIDE), panel, _SIDE)
    return figure


def preset_pictures(config: dict) -> dict[str, Callable[[Path], None]]:
    """Return {file name: function that draws it to a path}, as `save_preset` takes them.

    Args:
        config: of a preset; the picture is of its section `correlation`, and without one there
            is none.
    """
    if "correlation" not in config:
        return {}
    facts = config["correlation"]
    subtitle = (
        f"correlation with the cosine of {short_title(facts['teacher']['name'])}, over "
        f"{facts['pairs']:,} pairs, {100 * facts['genuine']:.0f} % genuine"
    )
    maps = [np.array(facts[name]) for name in ("raw", "normalised")]
    figure = draw_correlation(*maps, short_title(config["name"], 36), subtitle)
    return {PICTURE: lambda path: save_figure(figure, path)}
