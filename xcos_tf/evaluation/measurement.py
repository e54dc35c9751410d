"""What was measured of one score of one preset on one set."""

from dataclasses import dataclass

import numpy as np

from xcos_tf.metrics.rates import Rate

FALSE_ACCEPT_RATES = (1e-1, 1e-2, 1e-3, 1e-4)


@dataclass(frozen=True)
class ScoredPairs:
    """One score of every pair of a set.

    Attributes:
        preset: name, or folder, as the user gave it.
        sha256: of the preset's weights.
        score: "patched", "correlated", "learned", "flattened" (the plain cosine of the whole grid)
            or "cosine" (of a preset without a grid).
        values: float32 (P,), finite, in the order of the set's pairs.
        thresholds: {FMR: threshold} that the preset states for this score; may be empty.
    """

    preset: str
    sha256: str
    score: str
    values: np.ndarray
    thresholds: dict[str, float]


@dataclass(frozen=True)
class AtThreshold:
    """Error rates at a threshold that the preset states for a false match rate."""

    threshold: float
    fmr: Rate
    fnmr: Rate


@dataclass(frozen=True)
class Measurement:
    """All metrics of one score; shares are in [0, 1].

    Attributes:
        accuracy, accuracy_std: mean over folds, and its spread (see `kfold_accuracy`); None where
            there are fewer than two folds, or one has pairs of one kind only.
        auc, eer: see `metrics`.
        tar_at_far: {far: TAR}, of FALSE_ACCEPT_RATES; None where there are fewer than 1/far
            impostor pairs.
        at_threshold: {FMR that the preset promises: what it is here}.
        genuine, impostor: numbers of pairs.
    """

    accuracy: float | None
    accuracy_std: float | None
    auc: float
    eer: float
    tar_at_far: dict[float, Rate | None]
    at_threshold: dict[str, AtThreshold]
    genuine: int
    impostor: int


@dataclass(frozen=True)
class UnderOcclusion:
    """Accuracy of one score where one face of each pair is covered in part.

    Attributes:
        preset, score: see `ScoredPairs`.
        share: of the face that is covered, in [0, 1].
        accuracy, accuracy_std: see `Measurement`.
    """

    preset: str
    score: str
    share: float
    accuracy: float
    accuracy_std: float
