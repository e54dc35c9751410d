"""From how many faces are searched to the score that it takes to be one of them."""

import math
from collections.abc import Mapping

from xcos_tf.errors import XcosError

FPIR = 0.01
"""Of searches for people who are not enrolled, the share that may find somebody."""


def search_threshold(config: Mapping, attention: str, faces: int, fpir: float = FPIR) -> float:
    """Return the threshold at which a search among so many faces keeps to a rate.

    FPIR is at most 1 − (1 − FMR)ⁿ, which is where all comparisons of a face fail independently of
    one another; so the threshold is that of the pairs' FMR of 1 − (1 − FPIR)¹ᐟⁿ, or of the nearest
    rate below that was measured.

    Args:
        config: the preset's; `search` has {attention: {FMR: threshold}}.
        attention: the name of the score.
        faces: that are searched, at least 1.
        fpir: false positive identification rate.

    Raises:
        XcosError: the preset has no threshold for so many faces.
    """
    needed = -math.expm1(math.log1p(-fpir) / faces)
    rates = {
        float(rate): float(value)
        for rate, value in config.get("search", {}).get(attention, {}).items()
    }
    low_enough = [rate for rate in rates if rate <= needed * (1 + 1e-9)]
    if not low_enough:
        raise XcosError(
            f"the preset {config['name']!r} has no {attention} threshold for a search among "
            f"{faces:,} faces; give --threshold, or --fmr for that of pairs"
        )
    return rates[max(low_enough)]
