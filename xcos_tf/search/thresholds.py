"""From how many faces are searched to the score that it takes to be one of them."""

import math
from collections.abc import Mapping

from xcos_tf.errors import XcosError

FPIR = 0.01
"""Of searches for people who are not enrolled, the share that may find somebody."""


def needed_fmr(faces: int) -> float:
    """Return the false match rate of pairs at which a search among so many faces keeps to `FPIR`.

    FPIR is at most 1 − (1 − FMR)ⁿ, its value where the n comparisons of a face fail independently
    of one another; where they do not, they fail for fewer faces.

    Args:
        faces: n, at least 1.
    """
    return -math.expm1(math.log1p(-FPIR) / faces)


def search_threshold(config: Mapping, attention: str, faces: int) -> float:
    """Return the threshold at which a search among so many faces keeps to `FPIR`.

    Args:
        config: the preset's; `search` has {attention: {faces of a gallery: threshold}}, of which
            the next larger gallery counts.
        attention: the name of the score.
        faces: that are searched, at least 1.

    Raises:
        XcosError: the preset has no threshold for so many faces.
    """
    known = config.get("search", {}).get(attention, {})
    large_enough = [int(size) for size in known if int(size) >= faces]
    if not large_enough:
        raise XcosError(
            f"the preset {config['name']!r} has no {attention} threshold for a search among "
            f"{faces:,} faces; give --threshold, or --fmr for that of pairs"
        )
    return float(known[str(min(large_enough))])
