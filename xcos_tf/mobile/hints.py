"""Why a try may have failed: where the owner's face is less like itself than usual."""

import numpy as np

from xcos_tf.explain.regions import region_means
from xcos_tf.explain.words import SIDES_NOTE

NOTICEABLE = 0.25
"""How far an area must stand out; see `_standing_out`. tools/measure_hints.py counts how often that
names what is covered, and how often something where nothing is."""

_TOP, _BOTTOM = slice(0, 4), slice(4, 7)
_LEFT, _RIGHT, _ALL = slice(0, 3), slice(4, 7), slice(0, 7)
_AREAS = {
    "upper left": (_TOP, _LEFT),
    "upper right": (_TOP, _RIGHT),
    "lower left": (_BOTTOM, _LEFT),
    "lower right": (_BOTTOM, _RIGHT),
    "upper part": (_TOP, _ALL),
    "lower part": (_BOTTOM, _ALL),
    "left side": (_ALL, _LEFT),
    "right side": (_ALL, _RIGHT),
}
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

    Both are float (7, 7): S, the mean over templates and frames, and as it is usually, see `Owner`.
    """
    lack = np.asarray(usual_similarity, np.float64) - similarity_map
    found = {name: _standing_out(lack, cells) for name, cells in _AREAS.items()}
    area = max(found, key=found.get)
    if found[area] < NOTICEABLE:
        return _NOWHERE
    inside = np.zeros(lack.shape)
    inside[_AREAS[area]] = 1.0
    means = region_means(lack * inside, np.ones_like(lack))
    regions = ", ".join(sorted(means, key=means.get, reverse=True)[:2])  # that lack most
    advice = _ADVICE.get(area, "move your hand")
    return f"the {area} of the face looks covered ({regions}): {advice} ({SIDES_NOTE})"


def _standing_out(lack: np.ndarray, cells: tuple[slice, slice]) -> float:
    """Return by how much more S lacks inside an area than outside.

    Of two areas that differ as much from the rest, the one nearer to half of the face counts more:
    the factor is 1 for just half, and 2√(share·(1 − share)) for any other share.
    """
    inside = np.zeros(lack.shape, bool)
    inside[cells] = True
    share = inside.mean()
    difference = lack[inside].mean() - lack[~inside].mean()
    return float(difference * 2 * np.sqrt(share * (1 - share)))
