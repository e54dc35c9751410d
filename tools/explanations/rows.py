"""The numbers of the benchmark, as rows of CSV files, and what they are called."""

from collections import namedtuple

XCOS = "xcos"
AREAS = ("genuine deletion", "genuine insertion", "impostor deletion", "impostor insertion")
"""The areas under curves of the score that are measured; with " accuracy" after it, under those of
how often the verdict is right."""


def is_better_high(measure: str) -> bool:
    """Return whether a good map has a large area, of one such as "genuine deletion accuracy"."""
    kind, curve, *accuracy = measure.split()
    # An impostor pair is judged rightly while its score is low.
    return (curve == "insertion") != bool(accuracy and kind == "impostor")


Measure = namedtuple(
    "Measure",
    "set method preset score measure detail pairs value low high gain gain_low gain_high lead "
    "lead_low lead_high preset_sha256 set_sha256",
    defaults=[None] * 8 + ["", ""],
)
"""One measure of one method on a set, by the verifier that it explains and is judged by.

`measure` is "cell ablation", one of `AREAS`, such with " accuracy" after it;
"random weights" or "shift", which are checks; "seconds", the "ratio" to a plain verification,
"forward passes" or "backward passes". `detail` is the fill. `value` is the mean over `pairs`, or
a median where it is of time, with its 95 % interval if it has one; `gain` by how much it is better
than the control on the same verifier, pair by pair; `lead` by how much its gain is greater than
xCos's, if that is on the same verifier.
"""

CurvePoint = namedtuple(
    "CurvePoint",
    "set method preset score measure fill pairs share value accuracy preset_sha256 set_sha256",
    defaults=["", ""],
)
"""The mean score with a share of the pixels removed or revealed, and the verifier's accuracy."""
