"""Pairs of photos, many enough to tell variants apart, and faces that are covered in part."""

from dataclasses import replace
from functools import cached_property
from pathlib import PurePosixPath

import numpy as np

from tools.keeping import Key
from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.occluder import Occluder
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.set_faces import FacesInMemory, SetFaces
from xcos_tf.evaluation.verification_set import VerificationSet

IMPOSTORS = 10


def all_pairs_of_folds(pairs: PairSet) -> PairSet:
    """Return all pairs of photos that a fold's pairs are of, where a set lists only some.

    People differ between LFW's folds, so a threshold that is found on nine is still judged on
    people whom it has not seen. Photos are each in a folder of the person's.
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


def covered_pairs(pairs: PairSet, seed: int) -> PairSet:
    """Return pairs whose first photo is to be covered: each genuine pair, with either photo first.

    Of impostor pairs, of whom either photo may come first, ten times as many are drawn in each
    fold, or all that there are.
    """
    random = np.random.default_rng(seed)
    places, turned = [], []
    for fold in np.unique(pairs.fold):
        genuine, impostor = (
            np.flatnonzero((pairs.fold == fold) & (pairs.same == same)) for same in (True, False)
        )
        count = min(IMPOSTORS * 2 * len(genuine), len(impostor))
        places += [genuine, genuine, random.choice(impostor, count, replace=False)]
        turned += [np.repeat([False, True], len(genuine)), random.random(count) < 0.5]
    places, turned = np.concatenate(places), np.concatenate(turned)
    ends = np.stack([pairs.first, pairs.second])[:, places]
    first, second = np.where(turned, ends[::-1], ends)
    return PairSet(pairs.photos, first, second, pairs.same[places], pairs.fold[places])


class CoveredFaces:
    """A set's, a share of each covered by strokes when first asked for; in memory, 38 kB each."""

    def __init__(self, vset: VerificationSet, share: float, seed: int):
        """Take a set of aligned faces; see `Occluder`."""
        self._vset, self._occluder = vset, Occluder(share=share, seed=seed)

    @property
    def content(self) -> str:
        """All that the covers follow from, for a cache's key."""
        return Key(cover=self._occluder.settings(), photos=self._vset.pairs.photos).as_json()

    @cached_property
    def faces(self) -> SetFaces:
        """The faces, covered."""
        photos, names = self._vset.photos, self._vset.pairs.photos
        covered = np.empty((len(photos), FACE_SIZE, FACE_SIZE, 3), np.uint8)
        for positions, batch in SetFaces(self._vset).batches(range(len(photos)), "covering"):
            for position, face in zip(positions, batch, strict=True):
                covered[position] = self._occluder.cover(face, names[position])
        return SetFaces(replace(self._vset, photos=FacesInMemory(photos.names, covered)))
