"""The scores in a preset's configuration, and their thresholds."""

import math
from collections.abc import Mapping, Sequence

from xcos_tf.errors import XcosError

ATTENTIONS = ("patched", "correlated", "learned")
"""The maps of the paper: U, P and L."""

PLAIN_COSINE = "cosine"
"""The score of a preset without a grid."""

DEFAULT_FMR = 1e-3
"""The false match rate whose threshold decides, unless another is named."""


def default_attention(config: Mapping) -> str:
    """Return what a preset scores by, in Python and in every exported form: its last attention.

    Raises XcosError if it has no maps.
    """
    xcos = config["model"].get("xcos")
    attentions = xcos.get("attentions", ATTENTIONS) if isinstance(xcos, Mapping) else ()
    if not isinstance(attentions, Sequence) or not attentions:
        raise XcosError(
            f"the preset {config['name']!r} has no maps, and no server computes with it; name the "
            "xCos preset that the server's model was exported from"
        )
    return attentions[-1]


def check_rates(rates, what: str, advice: str) -> None:
    """Raise XcosError unless {FMR: threshold} of a file are texts of (0, 1) and finite numbers.

    `what` is the beginning of the error's sentence, and `advice` its end.
    """
    if not isinstance(rates, Mapping):
        raise XcosError(f"{what}; {advice}")
    for rate, value in rates.items():
        try:
            fine = 0 < float(rate) < 1 and not isinstance(value, (bool, str))
            fine = fine and math.isfinite(value)
        except (TypeError, ValueError, OverflowError):
            fine = False
        if not fine:
            raise XcosError(f"{what} ({str(rate)[:20]}: {str(value)[:20]}); {advice}")


def preset_threshold(config: Mapping, attention: str, fmr: float) -> float:
    """Return a score's threshold at a false match rate, measured on validation people.

    Raises XcosError if the preset with this configuration has none for this rate.
    """
    name, thresholds = config["name"], config["thresholds"]
    known = thresholds.get(attention, {})
    if not known:
        others = [other for other, rates in thresholds.items() if rates]
        instead = f", or choose another attention: {', '.join(others)}" if others else ""
        raise XcosError(
            f"the preset {name!r} has no thresholds for {attention!r}; give one yourself{instead}"
        )
    for rate, value in known.items():
        if math.isclose(float(rate), fmr, rel_tol=1e-6):
            return float(value)
    raise XcosError(
        f"the preset {name!r} has no threshold for FMR {fmr:g}; use one of {', '.join(known)}, or "
        "give a threshold yourself"
    )
