"""Pairs of photos, many enough to tell variants apart, and faces that are covered in part."""

from dataclasses import replace
from pathlib import PurePosixPath

import numpy as np

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.occlusion import Occluder
from xcos_tf.evaluation.aligned_faces import FaceReader
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.verification_set import DecodedPhotos, VerificationSet

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


def covered_faces(vset: VerificationSet, occluder: Occluder) -> FaceReader:
    """Return a set's aligned faces, each covered, in memory at 38 kB each.

    Raises:
        XcosError: one cannot be read.
    """
    photos, names = vset.photos, vset.pairs.photos
    covered = np.empty((len(photos), FACE_SIZE, FACE_SIZE, 3), np.uint8)
    for positions, batch in FaceReader(vset).batches(range(len(photos)), "covering"):
        for position, face in zip(positions, batch, strict=True):
            covered[position] = occluder.cover(face, names[position])
    return FaceReader(replace(vset, photos=DecodedPhotos(photos.names, covered)))
