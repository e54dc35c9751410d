"""What a set of scores is worth: accuracy, error rates and thresholds, in pure NumPy.

A pair counts as "same" when its score reaches the threshold: score ≥ threshold. FMR (or FAR) is
the share of impostor pairs called same, FNMR the share of genuine pairs called different.
"""

from dataclasses import dataclass

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.metrics.checks import check_pairs, check_scores, split
from xcos_tf.metrics.curves import roc

FOLDS = 10
FALSE_MATCH_RATES = ("0.01", "0.001", "0.0001")  # that presets state thresholds for


@dataclass(frozen=True)
class Rate:
    """A share that was observed, with its 95 % confidence interval; or one between certain bounds.

    Attributes:
        value: in [0, 1].
        low, high: 0 ≤ low ≤ value ≤ high ≤ 1.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class KFoldAccuracy:
    """Accuracy on each fold at the threshold that is best on the others.

    Attributes:
        mean: of `per_fold`, in [0, 1].
        std: of `per_fold`, over folds (divided by their number), as face papers quote it.
        per_fold: float64 (folds,), in [0, 1], folds in ascending order of their number.
        thresholds: float64 (folds,), what each fold was judged by.
    """

    mean: float
    std: float
    per_fold: np.ndarray
    thresholds: np.ndarray


def kfold_accuracy(
    scores: np.ndarray, same: np.ndarray, fold: np.ndarray, balanced: bool = False
) -> KFoldAccuracy:
    """Judge each fold by the threshold that is exactly best on all other folds.

    This is LFW's protocol of 10 folds (Huang et al., 2007), with `best_threshold` in place of the
    customary grid of thresholds.

    Args:
        scores: float (P,), higher for more alike.
        same: bool (P,).
        fold: int (P,), any numbers.
        balanced: whether genuine and impostor pairs count alike however many there are of each, so
            that accuracy is 1 − (FMR + FNMR) / 2. LFW's own folds have as many of both.

    Raises:
        XcosError: there are fewer than two folds, or one holds pairs of one kind only.
        ValueError: shapes or types are wrong, or a score is not finite.
    """
    scores, same = check_pairs(scores, same)
    fold = np.asarray(fold)
    if fold.shape != scores.shape or not np.issubdtype(fold.dtype, np.integer):
        raise ValueError(
            f"Expected fold to be integers of shape {scores.shape}. "
            f"Received: fold.dtype={fold.dtype}, fold.shape={fold.shape}"
        )
    folds = np.unique(fold)
    if len(folds) < 2:
        raise XcosError(
            "the threshold for a fold is found on the others, but the pairs are all in one fold; "
            "deal them into at least two"
        )
    # Each fold's others are then in order, and sorted again in no time.
    order = np.argsort(scores, kind="stable")
    scores, same, fold = scores[order], same[order], fold[order]
    thresholds, per_fold = np.empty(len(folds)), np.empty(len(folds))
    for place, number in enumerate(folds):
        here = fold == number
        kinds = same[here]
        if kinds.all() or not kinds.any():
            raise XcosError(
                f"fold {number} holds {'genuine' if kinds[0] else 'impostor'} pairs only; every "
                "fold needs pairs of both kinds"
            )
        thresholds[place] = best_threshold(scores[~here], same[~here], balanced)
        right = (scores[here] >= thresholds[place]) == kinds
        shares = (right[kinds].mean(), right[~kinds].mean()) if balanced else right
        per_fold[place] = np.mean(shares)
    return KFoldAccuracy(float(per_fold.mean()), float(per_fold.std()), per_fold, thresholds)


def deal_folds(same: np.ndarray) -> np.ndarray:
    """Deal pairs into 10 folds in their order, each kind by itself.

    Each fold has a tenth of the genuine and a tenth of the impostor pairs, the first ones of each
    in fold 0; where a kind cannot be parted evenly, earlier folds have one more. LFW's pairs, told
    without their folds, so come back into the folds they have. Where there are fewer than 10 of a
    kind, there are as many folds.

    Args:
        same: bool (P,), with both kinds among them.

    Returns:
        int64 (P,), from 0.
    """
    fold = np.empty(len(same), np.int64)
    folds = min(FOLDS, int(same.sum()), int((~same).sum()))
    for kind in (True, False):
        fold[same == kind] = tenths(int(np.sum(same == kind)), folds)
    return fold


def tenths(count: int, folds: int = FOLDS) -> np.ndarray:
    """Return the fold of each of `count` pairs, dealt in their order, int64 (count,).

    Earlier folds have one more where it cannot be parted evenly, as in scikit-learn's `KFold`.
    """
    parts = np.array_split(np.arange(count), folds)
    return np.repeat(np.arange(folds), [len(part) for part in parts])


def dealt(fold: np.ndarray) -> str:
    """Return a sentence for the report about what `deal_folds` did."""
    return (
        f"The pairs come without folds; they were dealt into {fold.max() + 1} in their order, "
        "genuine and impostor pairs apart, so that each fold has its share of both."
    )


def best_threshold(scores: np.ndarray, same: np.ndarray, balanced: bool = False) -> float:
    """Return the threshold that gets the most pairs right.

    Candidates are the midpoints between neighbouring distinct scores, the lowest score (all pairs
    are the same), and the number next above the highest (none is). Of several that are equally
    good, the middle one in ascending order is taken, the lower of two in the middle: it strays
    the least from one sample of pairs to the next.

    Args:
        scores: float (P,), P ≥ 1.
        same: bool (P,); one kind only is allowed.
        balanced: whether genuine and impostor pairs count alike however many there are of each.

    Raises:
        ValueError: shapes or types are wrong, or a score is not finite.
    """
    scores, same = check_pairs(scores, same)
    order = np.argsort(scores, kind="stable")
    scores, same = scores[order], same[order]
    # Each pair counts as often as there are pairs of the other kind: whole numbers stay exact.
    genuine = int(np.sum(same))
    impostor = len(same) - genuine
    weights = np.where(same, max(impostor, 1), max(genuine, 1)) if balanced else 1
    # right[i]: what is judged rightly when the i lowest scores are called different.
    right = np.concatenate([[0], np.cumsum(weights * np.where(same, -1, 1))])
    right += np.sum(weights * same)
    # Equal scores cannot be parted.
    cuts = np.concatenate([[0], np.flatnonzero(np.diff(scores)) + 1, [len(scores)]])
    best = cuts[right[cuts] == right[cuts].max()]
    cut = best[(len(best) - 1) // 2]
    if cut == 0:
        return float(scores[0])
    if cut == len(scores):
        return float(np.nextafter(scores[-1], np.inf))
    low, high = scores[cut - 1], scores[cut]
    middle = low + (high - low) / 2
    # Between neighbouring floats there is no midpoint.
    return float(middle if middle > low else high)


def auc(scores: np.ndarray, same: np.ndarray) -> float:
    """Return the area under the ROC curve, in [0, 1].

    It is the chance that a genuine pair scores higher than an impostor pair, where equal scores
    count half (Mann and Whitney's U).

    Raises:
        XcosError: the pairs are of one kind only.
        ValueError: shapes or types are wrong, or a score is not finite.
    """
    genuine, impostor = split(scores, same)
    impostor = np.sort(impostor)
    below = np.searchsorted(impostor, genuine, side="left")
    not_above = np.searchsorted(impostor, genuine, side="right")
    return float((below.mean() + not_above.mean()) / 2 / len(impostor))


def eer(scores: np.ndarray, same: np.ndarray) -> float:
    """Return the equal error rate, in [0, 1]: where FMR = FNMR on the ROC curve.

    The curve is straight between the points of neighbouring thresholds, so that it is met exactly.

    Raises:
        XcosError: the pairs are of one kind only.
        ValueError: shapes or types are wrong, or a score is not finite.
    """
    curve = roc(scores, same)
    # From "none is the same" to "all are", the difference of the errors climbs from −1 to 1.
    return float(np.interp(0.0, curve.fmr - curve.fnmr, curve.fmr))


def tar_at_far(scores: np.ndarray, same: np.ndarray, far: float) -> float:
    """Return the share of genuine pairs accepted where at most `far` of the impostors are.

    With fewer than 1/far impostor pairs, that is where none of them is accepted.

    Args:
        scores: float (P,).
        same: bool (P,).
        far: false accept rate, 0 ≤ far < 1.

    Returns:
        The true accept rate, in [0, 1].

    Raises:
        XcosError: the pairs are of one kind only.
        ValueError: shapes or types are wrong, a score is not finite, or `far` is out of range.
    """
    genuine, impostor = split(scores, same)
    if not 0 <= far < 1:
        raise ValueError(f"Expected 0 ≤ far < 1. Received: far={far}")
    return float(np.mean(genuine > _highest_rejected(impostor, far)))


def threshold_at_fmr(impostor_scores: np.ndarray, fmr: float) -> float:
    """Return the smallest threshold whose observed FMR is at most `fmr`.

    It lies one step of the scores' own floating-point type above the highest score that has to be
    rejected, so that it parts the scores in that type as well as in a wider one.

    Args:
        impostor_scores: float (P,), scores of pairs of different people.
        fmr: false match rate, 0 < fmr < 1.

    Raises:
        XcosError: there are fewer than 1/fmr scores, too few to observe such a rate.
        ValueError: shapes or types are wrong, a score is not finite, or `fmr` is out of range.
    """
    scores = check_scores(impostor_scores, "impostor_scores")
    if not 0 < fmr < 1:
        raise ValueError(f"Expected 0 < fmr < 1. Received: fmr={fmr}")
    if allowed(len(scores), fmr) < 1:
        raise XcosError(
            f"a threshold at FMR {fmr:g} needs at least {int(np.ceil(1 / fmr - 1e-6))} impostor "
            f"pairs, but there are {len(scores)}; use more pairs or a higher rate"
        )
    return float(np.nextafter(_highest_rejected(scores, fmr), scores.dtype.type(np.inf)))


def thresholds_at_fmrs(impostor_scores: np.ndarray) -> dict[str, float]:
    """Return {FMR: threshold} at the rates that presets state, see `threshold_at_fmr`.

    A rate that would need more pairs than there are is left out.
    """
    count = len(impostor_scores)
    return {
        rate: float(threshold_at_fmr(impostor_scores, float(rate)))
        for rate in FALSE_MATCH_RATES
        if round(count * float(rate), 6) >= 1
    }


def fmr_fnmr(scores: np.ndarray, same: np.ndarray, threshold: float) -> tuple[float, float]:
    """Return (FMR, FNMR) at a threshold, each in [0, 1].

    Raises:
        XcosError: the pairs are of one kind only.
        ValueError: shapes or types are wrong, a score is not finite, or the threshold is NaN.
    """
    genuine, impostor = split(scores, same)
    if np.isnan(threshold):
        raise ValueError(f"Expected a number for a threshold. Received: threshold={threshold}")
    threshold = np.float64(threshold)
    return float(np.mean(impostor >= threshold)), float(np.mean(genuine < threshold))


def allowed(count: int, rate: float) -> int:
    """Return how many of `count` may pass; the small term is for 1e-3 of 1,000 and its like."""
    return int(np.floor(count * rate + 1e-9))


def _highest_rejected(impostor: np.ndarray, rate: float):
    """Return the highest score that must not pass if at most this share of the impostors may."""
    return np.sort(impostor)[::-1][allowed(len(impostor), rate)]
