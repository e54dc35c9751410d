"""The price list's numbers, as rows of a CSV file."""

from dataclasses import dataclass

BASE, POST_TRAINING = "float32", "int8"


@dataclass(frozen=True)
class Price:
    """What one variant costs and saves.

    Attributes:
        variant: such as "int8".
        embed_bytes, embed_gzipped, verify_bytes, verify_gzipped: sizes of the files for one face.
        latency_1, latency_2: of `embed` on one and two threads, as a ratio to float32's on as many.
        verify_1, verify_2: of `verify`, as a ratio to two runs of the same variant's `embed`.
        verify_bare_1, verify_bare_2: of `verify`, as a ratio to two runs of the bare backbone in
            float32.
        accuracy, accuracy_std: on the set, in [0, 1]; see `Measurement`.
        s_correlation, w_correlation, score_correlation: Pearson's, with float32 over all pairs of
            the set, of all cells of S, all of W, and xCos.
        pairs: how many.
        all_accuracy: on all pairs within the folds, where genuine and impostor pairs count alike.
        all_lost, all_lost_error: of it against float32, mean over folds and its standard error.
        changed, changed_error: share of those pairs that this variant decides otherwise than
            float32, likewise.
        eer, tar_1e3, tar_1e4: on all those pairs, in [0, 1]; TAR at FAR 1e-3 and 1e-4.
        fmr, fnmr: on them, at this variant's threshold for FMR 1e-3.
        threshold: that one.
        genuine, impostor: how many of them.
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
    verify_bare_1: float | None
    verify_bare_2: float | None
    accuracy: float | None
    accuracy_std: float | None
    s_correlation: float | None
    w_correlation: float | None
    score_correlation: float | None
    pairs: int | None
    all_accuracy: float | None
    all_lost: float | None
    all_lost_error: float | None
    changed: float | None
    changed_error: float | None
    eer: float | None
    tar_1e3: float | None
    tar_1e4: float | None
    fmr: float | None
    fnmr: float | None
    threshold: float | None
    genuine: int | None
    impostor: int | None
    preset: str
    preset_sha256: str
    set_sha256: str


@dataclass(frozen=True)
class CoveredPrice:
    """What one variant loses on pairs of which one face is covered in part.

    Attributes:
        variant: such as "int8".
        share: of the face that is covered, in [0, 1); None for the mean over all above 0.
        accuracy: where genuine and impostor pairs count alike, in [0, 1].
        lost, lost_error: of it against float32 with as much covered, mean over folds and its
            standard error.
        changed, changed_error: share of the pairs that this variant decides otherwise than float32,
            likewise.
        more, more_error: lost more than by int8 without training, likewise.
        genuine, impostor: how many pairs.
        preset, preset_sha256, set_sha256: that were measured.
    """

    variant: str
    share: float | None
    accuracy: float | None
    lost: float | None
    lost_error: float | None
    changed: float | None
    changed_error: float | None
    more: float | None
    more_error: float | None
    genuine: int | None
    impostor: int | None
    preset: str
    preset_sha256: str
    set_sha256: str
