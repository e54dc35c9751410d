"""The numbers of the benchmark, as rows of CSV files, and what they are called."""

from dataclasses import dataclass

XCOS = "xcos"
CONTROL = "random"
"""The method that every other is held against, on the same verifier."""
SIMILARITY, DISSIMILARITY = "similarity", "dissimilarity"
GENUINE, IMPOSTOR = "genuine", "impostor"
"""Similarity maps again, on these pairs alone."""
CURVES = DELETION, INSERTION = "deletion", "insertion"
AREAS = [(kind, curve) for kind in (SIMILARITY, DISSIMILARITY) for curve in CURVES]
"""Areas under curves are measured by names such as "similarity deletion"."""
CELLS, WEIGHTS, SHIFT, SWAP = "cell ablation", "random weights", "shift", "swap"
SECONDS, RATIO, FORWARD, BACKWARD = "seconds", "ratio", "forward passes", "backward passes"


@dataclass(frozen=True)
class Measure:
    """One measure of one method on one verifier.

    Attributes:
        method: its name.
        preset, score: of the verifier that it explains and is judged by.
        measure: one of the names above.
        detail: such as the filling; empty where there is nothing to say.
        pairs: how many.
        value: the mean, or a median where it is of time; `low` and `high` are the ends of its 95 %
            confidence interval, if it has one.
        gain: by how much it is better than the control on the same verifier, pair by pair, with
            its interval; below 0 it is worse.
        lead: by how much its gain is greater than xCos's on the same pairs, with its interval.
        preset_sha256, set_sha256: of the weights, and of the set that the pairs are from.
    """

    method: str
    preset: str
    score: str
    measure: str
    detail: str
    pairs: int | None
    value: float
    low: float | None = None
    high: float | None = None
    gain: float | None = None
    gain_low: float | None = None
    gain_high: float | None = None
    lead: float | None = None
    lead_low: float | None = None
    lead_high: float | None = None
    preset_sha256: str = ""
    set_sha256: str = ""


@dataclass(frozen=True)
class CurvePoint:
    """The accuracy of a verifier with a share of the pixels removed or revealed.

    Attributes:
        method, preset, score: as in `Measure`.
        measure: such as "similarity deletion".
        filling: what stands where nothing of the face is seen.
        share: of the pixels, in [0, 1].
        accuracy: in [0, 1].
        preset_sha256, set_sha256: as in `Measure`.
    """

    method: str
    preset: str
    score: str
    measure: str
    filling: str
    share: float
    accuracy: float
    preset_sha256: str = ""
    set_sha256: str = ""
