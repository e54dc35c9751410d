"""The numbers of the benchmark, as rows of CSV files, and what they are called."""

from collections import namedtuple

XCOS = "xcos"
CONTROL = "random"
"""The method that every other is held against, on the same verifier."""
CURVES = ("deletion", "insertion")
FILLINGS = ("imputed", "black")
"""What stands where pixels were removed: the one to go by, and one for comparison."""
AREAS = [f"{x} {curve}" for x in ("genuine", "impostor", "dissimilarity") for curve in CURVES]
"""The areas under curves of the score that are measured; with " accuracy" after it, under those of
how often the verdict is right."""


def is_better_high(measure: str) -> bool:
    """Return whether a good map has a large area, of one of `AREAS`."""
    kind, curve, *accuracy = measure.split()
    high = (curve == "insertion") != (kind == "dissimilarity")
    # An impostor pair is judged rightly while its score is low.
    return high != bool(accuracy and kind != "genuine")


Measure = namedtuple(
    "Measure",
    "method preset score measure detail pairs value low high gain gain_low gain_high lead lead_low "
    "lead_high preset_sha256 set_sha256",
    defaults=[None] * 8 + ["", ""],
)
"""One measure of one method on the verifier that it explains and is judged by.

`measure` is one of `AREAS`, such with " accuracy" after it, "cell ablation"; "random weights",
"shift" or "swap", which are checks; "seconds", the "ratio" to a plain verification, "forward
passes" or "backward passes". `detail` is such as the filling. `value` is the mean over `pairs`, or
a median where it is of time, with its 95 % interval if it has one; `gain` by how much it is better
than the control on the same verifier, pair by pair; `lead` by how much its gain is greater than
xCos's, if that is on the same verifier.
"""

CurvePoint = namedtuple(
    "CurvePoint",
    "method preset score measure filling share value accuracy preset_sha256 set_sha256",
    defaults=["", ""],
)
"""The mean score with a share of the pixels removed or revealed, and the verifier's accuracy."""
