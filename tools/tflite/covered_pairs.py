"""Pairs of photos of which the first is to be covered, many enough to tell variants apart."""

import numpy as np

from xcos_tf.evaluation.pairs import PairSet

IMPOSTORS = 10


def covered_pairs(pairs: PairSet, seed: int) -> PairSet:
    """Return each genuine pair twice, with either photo first, and some impostor pairs.

    Args:
        pairs: to choose from, such as `all_pairs_of_folds`.
        seed: of the draw of impostor pairs, in each fold ten times as many as genuine ones or all
            that there are, and of which photo comes first.
    """
    random = np.random.default_rng(seed)
    chosen, turned = [], []
    for fold in np.unique(pairs.fold):
        genuine, impostor = (
            np.flatnonzero((pairs.fold == fold) & (pairs.same == same)) for same in (True, False)
        )
        count = min(IMPOSTORS * 2 * len(genuine), len(impostor))
        chosen += [genuine, genuine, random.choice(impostor, count, replace=False)]
        turned += [np.zeros(len(genuine), bool), np.ones(len(genuine), bool)]
        turned += [random.random(count) < 0.5]
    places, turned = np.concatenate(chosen), np.concatenate(turned)
    first, second = pairs.first[places], pairs.second[places]
    return PairSet(
        pairs.photos,
        np.where(turned, second, first),
        np.where(turned, first, second),
        pairs.same[places],
        pairs.fold[places],
    )
