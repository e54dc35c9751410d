"""Every pair of photos within the folds of a set, where a set lists only some."""

from pathlib import PurePosixPath

import numpy as np

from xcos_tf.evaluation.pairs import PairSet


def all_pairs_of_folds(pairs: PairSet) -> PairSet:
    """Return all pairs of photos that a fold's pairs are of.

    People differ between LFW's folds, so a threshold that is found on nine is still judged on
    people whom it has not seen.

    Args:
        pairs: of photos each in a folder of the person's, such as Some_Name/Some_Name_0001.jpg.
    """
    people = np.unique([PurePosixPath(x).parent.name for x in pairs.photos], return_inverse=True)[1]
    first, second, folds = [], [], np.unique(pairs.fold)
    for fold in folds:
        members = pairs.fold == fold
        photos = np.unique([pairs.first[members], pairs.second[members]])
        a, b = np.triu_indices(len(photos), k=1)
        first.append(photos[a])
        second.append(photos[b])
    counts = [len(x) for x in first]
    first, second = np.concatenate(first), np.concatenate(second)
    same = people[first] == people[second]
    return PairSet(pairs.photos, first, second, same, np.repeat(folds, counts))
