"""Whether xCos loses less accuracy under occlusion than its baseline, on the same pairs."""

from collections.abc import Mapping

import numpy as np

from tools.paper.rows import Drop
from xcos_tf.evaluation.measurement import ScoredPairs
from xcos_tf.evaluation.metrics import kfold_accuracy
from xcos_tf.evaluation.pairs import PairSet

RESAMPLES = 10_000
LESS, MORE, EQUAL = "loses less", "loses more", "cannot be told apart"


def compare_drops(
    of_xcos: Mapping[float, ScoredPairs],
    of_baseline: Mapping[float, ScoredPairs],
    pairs: PairSet,
    seed: int = 0,
) -> list[Drop]:
    """Compare how much accuracy two ways to score lose.

    Each pair is judged by the threshold that is best on the other folds at the same share, so that
    accuracy is that of 10 folds. Which pairs are judged rightly is then compared pair by pair: the
    interval of the difference is the bootstrap's over pairs, with thresholds as they are.

    Args:
        of_xcos, of_baseline: {share of one face that is covered: scores}, the same shares, 0 among
            them.
        pairs: what was scored.
        seed: of the bootstrap.

    Returns:
        A row for each share above 0, and last one for their mean, as share 0.
    """
    lost, baseline_lost = _lost(of_xcos, pairs), _lost(of_baseline, pairs)
    lost[0.0] = np.mean(list(lost.values()), axis=0)
    baseline_lost[0.0] = np.mean(list(baseline_lost.values()), axis=0)
    first, second = of_xcos[0.0], of_baseline[0.0]
    rows = []
    for share, of_pair in lost.items():
        difference = of_pair - baseline_lost[share]
        low, high = interval_of_mean(difference, seed)
        rows.append(
            Drop(
                first.preset,
                second.preset,
                first.score,
                share,
                float(of_pair.mean()),
                float(baseline_lost[share].mean()),
                float(difference.mean()),
                low,
                high,
            )
        )
    return rows


def verdict(drop: Drop) -> str:
    """Return whether the first loses less, more, or neither can be said with 95 % confidence."""
    if drop.high < 0:
        return LESS
    return MORE if drop.low > 0 else EQUAL


def interval_of_mean(values: np.ndarray, seed: int) -> tuple[float, float]:
    """Return the 95 % percentile interval of a mean, by the bootstrap.

    Source: B. Efron and R. J. Tibshirani, "An Introduction to the Bootstrap", 1993, section 13.3.

    Args:
        values: float (P,), of few distinct values, so that it is enough to draw how many of each.
        seed: of the draws.
    """
    levels, counts = np.unique(values.round(9), return_counts=True)
    drawn = np.random.default_rng(seed).multinomial(
        len(values), counts / len(values), size=RESAMPLES
    )
    low, high = np.quantile(drawn @ levels / len(values), (0.025, 0.975))
    return float(low), float(high)


def _lost(by_share: Mapping[float, ScoredPairs], pairs: PairSet) -> dict[float, np.ndarray]:
    """Return {share above 0: float (P,), 1 where a pair is judged wrongly since it is covered}.

    It is −1 where it is judged rightly since then.
    """
    plain = _right(by_share[0.0], pairs)
    return {share: plain - _right(scored, pairs) for share, scored in by_share.items() if share > 0}


def _right(scored: ScoredPairs, pairs: PairSet) -> np.ndarray:
    """Return 1 for each pair that is judged rightly and 0 for the others, float (P,)."""
    folds = np.unique(pairs.fold)
    thresholds = kfold_accuracy(scored.values, pairs.same, pairs.fold).thresholds
    of_pair = thresholds[np.searchsorted(folds, pairs.fold)]
    return ((scored.values.astype(np.float64) >= of_pair) == pairs.same).astype(np.float64)
