"""The price list's numbers, as rows of a CSV file."""

from dataclasses import dataclass

BASE = "float32"


@dataclass(frozen=True)
class Price:
    """What one variant costs and saves.

    Attributes:
        variant: such as "int8".
        embed_bytes, embed_gzipped, verify_bytes, verify_gzipped: sizes of the files for one face.
        latency_1, latency_2: of `embed` on one and two threads, as a ratio to float32's on as many.
        verify_1, verify_2: of `verify`, as a ratio to two runs of the same variant's `embed`.
        accuracy, accuracy_std: on the set, in [0, 1]; see `Measurement`.
        s_correlation, w_correlation, score_correlation: Pearson's, with float32 over all pairs of
            the set, of all cells of S, all of W, and xCos.
        fmr, fnmr: in [0, 1], on the set, at this variant's threshold for FMR 1e-3.
        threshold: that one.
        pairs: how many.
        preset, preset_sha256, set_sha256: that were measured.
    """

    variant: str
    embed_bytes: int | None
    embed_gzipped: int | None
    verify_bytes: int | None
    verify_gzipped: int | None
    latency_1: float | None
    latency_2: float | None
    verify_1: float | None
    verify_2: float | None
    accuracy: float | None
    accuracy_std: float | None
    s_correlation: float | None
    w_correlation: float | None
    score_correlation: float | None
    fmr: float | None
    fnmr: float | None
    threshold: float | None
    pairs: int | None
    preset: str
    preset_sha256: str
    set_sha256: str
