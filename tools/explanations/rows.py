"""The numbers of the benchmark, as rows of CSV files, and what they are called."""

from collections import namedtuple

XCOS = "xcos"
CONTROL = "random"
"""The method that every other is held against, on the same verifier."""
CURVES = ("deletion", "insertion")
AREAS = [f"{kind} {curve}" for kind in ("similarity", "dissimilarity") for curve in CURVES]
"""The areas under curves that are measured."""

Measure = namedtuple(
    "Measure",
    "method preset score measure detail pairs value low high gain gain_low gain_high lead lead_low "
    "lead_high preset_sha256 set_sha256",
    defaults=[None] * 8 + ["", ""],
)
"""One measure of one method on the verifier that it explains and is judged by.

`measure` is one of `AREAS`; "genuine" or "impostor" with a curve, which is of similarity maps on
such pairs alone; "cell ablation"; "random weights", "shift" or "swap", which are checks; "seconds",
the "ratio" to a plain verification, "forward passes" or "backward passes". `detail` is such as the
filling. `value` is the mean over `pairs`, or a median where it is of time, with its 95 % interval
if it has one; `gain` by how much it is better than the control on the same verifier, pair by pair;
`lead` by how much its gain is greater than xCos's on the same pairs.
"""

CurvePoint = namedtuple(
    "CurvePoint",
    "method preset score measure filling share accuracy preset_sha256 set_sha256",
    defaults=["", ""],
)
"""The accuracy of a verifier with a share of the pixels removed or revealed, in [0, 1]."""
