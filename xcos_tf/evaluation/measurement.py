"""What is measured of one score of one preset on one set: all metrics, and how."""

import contextlib
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.metrics.intervals import share, tar_at_far_rate
from xcos_tf.metrics.rates import Rate, auc, eer, kfold_accuracy
from xcos_tf.models.preset_threshold import DEFAULT_FMR

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
    """Accuracy of one score, see `Measurement`, with a share in [0, 1] of one face covered."""

    preset: str
    score: str
    share: float
    accuracy: float
    accuracy_std: float


def measure(scored: ScoredPairs, pairs: PairSet) -> Measurement:
    """Measure everything of one score of pairs, in their order.

    Raises:
        XcosError: the pairs are of one kind only.
        ValueError: there are not as many scores as pairs, or one is not finite.
    """
    scores, same = scored.values, pairs.same
    area, folds = auc(scores, same), None
    with contextlib.suppress(XcosError):  # the folds cannot be judged, see `Measurement`
        folds = kfold_accuracy(scores, same, pairs.fold)
    return Measurement(
        accuracy=folds and folds.mean,
        accuracy_std=folds and folds.std,
        auc=area,
        eer=eer(scores, same),
        tar_at_far={far: tar_at_far_rate(scores, same, far) for far in FALSE_ACCEPT_RATES},
        at_threshold={
            fmr: _at_threshold(scores[same], scores[~same], threshold)
            for fmr, threshold in scored.thresholds.items()
        },
        genuine=int(np.sum(same)),
        impostor=int(np.sum(~same)),
    )


def as_row(measurement: Measurement) -> dict:
    """Return a measurement as what JSON knows: its attributes by name, rates as keys in figures.

    A `Rate` is {"value", "low", "high"}, and FAR 1e-3 the key "0.001".
    """
    row = asdict(measurement)
    row["tar_at_far"] = {f"{far:g}": rate for far, rate in row["tar_at_far"].items()}
    return row


def at_default_fmr(by_rate: Mapping[str, Any]) -> Any:
    """Return what {FMR: something} has for FMR 1e-3, however that is written, or None."""
    return next((x for rate, x in by_rate.items() if math.isclose(float(rate), DEFAULT_FMR)), None)


def _at_threshold(genuine: np.ndarray, impostor: np.ndarray, threshold: float) -> AtThreshold:
    # In float64, as everywhere: a float32 score is not to be compared with a rounded threshold.
    threshold = np.float64(threshold)
    return AtThreshold(
        float(threshold),
        share(int(np.sum(impostor >= threshold)), len(impostor)),
        share(int(np.sum(genuine < threshold)), len(genuine)),
    )
