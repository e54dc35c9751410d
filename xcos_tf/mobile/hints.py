"""Why a try may have failed: where the owner's face is less like itself than usual."""

import numpy as np

from xcos_tf.explain.regions import region_means
from xcos_tf.explain.words import SIDES_NOTE

NOTICEABLE = 0.25
"""How far an area must stand out; see `_standing_out`. tools/measure_hints.py counts how often that
names what is covered, and how often something where nothing is."""

_ADVICE = {
    "upper part": "take off sunglasses or a hat",
    "lower part": "take off a mask or scarf, or move your hand",
}
_NOWHERE = (
    "no part of the face stands out: look straight at the camera, in even light, or enroll again "
    "with other photos"
)


def hint_of(similarity_map: np.ndarray, usual_similarity: np.ndarray) -> str:
    """Say which area looks covered, and what to do, without a capital letter or a full stop.

    Both are float (h, w): S, the mean over templates and frames, and as it is usually, see `Owner`.
    """
    lack = np.asarray(usual_similarity, np.float64) - similarity_map
    areas = _areas(*lack.shape)
    found = {name: _standing_out(lack, inside) for name, inside in areas.items()}
    area = max(found, key=found.get)
    if found[area] < NOTICEABLE:
        return _NOWHERE
    means = region_means(lack * areas[area], np.ones_like(lack))
    regions = ", ".join(sorted(means, key=means.get, reverse=True)[:2])  # that lack most
    advice = _ADVICE.get(area, "move your hand")
    return f"the {area} of the face looks covered ({regions}): {advice} ({SIDES_NOTE})"


def _areas(height: int, width: int) -> dict[str, np.ndarray]:
    """Return {area: its cells, bool (height, width)}.

    The middle row is of the upper part, where the eyes are; the middle column is of neither side.
    """
    rows, columns = np.indices((height, width))
    upper = 2 * rows < height
    sides = {"left": 2 * columns + 1 < width, "right": 2 * columns + 1 > width}
    parts = {"upper": upper, "lower": ~upper}
    return {
        **{f"{x} {y}": parts[x] & sides[y] for x in parts for y in sides},
        **{f"{x} part": inside for x, inside in parts.items()},
        **{f"{x} side": inside for x, inside in sides.items()},
    }


def _standing_out(lack: np.ndarray, inside: np.ndarray) -> float:
    """Return by how much more S lacks inside an area than outside.

    Of two areas that differ as much from the rest, the one nearer to half of the face counts more:
    the factor is 1 for just half, and 2√(share·(1 − share)) for any other share, 0 for no cell and
    for all.
    """
    share = inside.mean()
    if share in (0, 1):
        return 0.0
    difference = lack[inside].mean() - lack[~inside].mean()
    return float(difference * 2 * np.sqrt(share * (1 - share)))
