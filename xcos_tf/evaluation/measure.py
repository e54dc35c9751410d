"""All metrics of one score of one preset on a set of pairs."""

from dataclasses import asdict

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.measurement import (
    FALSE_ACCEPT_RATES,
    AtThreshold,
    Measurement,
    ScoredPairs,
)
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.metrics.intervals import share, tar_at_far_rate
from xcos_tf.metrics.rates import auc, eer, kfold_accuracy


def measure(scored: ScoredPairs, pairs: PairSet) -> Measurement:
    """Measure everything of one score.

    Args:
        scored: the scores.
        pairs: the pairs, in the same order.

    Raises:
        XcosError: a score or threshold is not finite, or the pairs are of one kind only.
        ValueError: there are not as many scores as pairs.
    """
    _check_finite(scored, pairs)
    scores, same = scored.values, pairs.same
    area = auc(scores, same)
    try:
        folds = kfold_accuracy(scores, same, pairs.fold)
    except XcosError:  # the folds cannot be judged, see `Measurement`; the rest can
        folds = None
    return Measurement(
        accuracy=folds.mean if folds else None,
        accuracy_std=folds.std if folds else None,
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


def _at_threshold(genuine: np.ndarray, impostor: np.ndarray, threshold: float) -> AtThreshold:
    # In float64, as everywhere: a float32 score is not to be compared with a rounded threshold.
    threshold = np.float64(threshold)
    return AtThreshold(
        float(threshold),
        share(int(np.sum(impostor >= threshold)), len(impostor)),
        share(int(np.sum(genuine < threshold)), len(genuine)),
    )


def _check_finite(scored: ScoredPairs, pairs: PairSet) -> None:
    for fmr, threshold in scored.thresholds.items():
        if not np.isfinite(threshold):
            raise XcosError(
                f"the threshold of {scored.preset} for {scored.score!r} at FMR {fmr} is "
                f"{threshold}; measure the preset's thresholds again"
            )
    wrong = np.flatnonzero(~np.isfinite(scored.values))
    if not wrong.size:
        return
    first = wrong[0]
    names = [pairs.photos[end[first]] for end in (pairs.first, pairs.second)]
    raise XcosError(
        f"the score {scored.score!r} of {scored.preset} is {scored.values[first]} for {names[0]} "
        f"and {names[1]} ({len(wrong):,} of {len(pairs):,} pairs have no finite score); check the "
        "preset's weights and these photos"
    )
