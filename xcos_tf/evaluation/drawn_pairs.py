"""The pairs that everything is measured on: some of a set's, half of each kind."""

from typing import NamedTuple

import numpy as np

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.aligned_faces import FaceReader
from xcos_tf.evaluation.verification_set import VerificationSet

SEED = 0


class Pair(NamedTuple):
    """Two aligned faces, uint8 (112, 112, 3) RGB, and whether they are one person's."""

    face_a: np.ndarray
    face_b: np.ndarray
    same: bool


def draw_pairs(vset: VerificationSet, count: int, seed: int = SEED) -> list[Pair]:
    """Draw so many pairs of a set of photos and read their faces, aligned if they are not.

    Half of them are genuine; they take turns, so that the first few are of both kinds.

    Raises:
        XcosError: the set is of videos or has too few pairs, the count is odd or not positive, or
            a photo cannot be used.
    """
    if vset.videos is not None:
        raise XcosError(f"{vset.name} is a set of videos; explanations are of photos, give those")
    if count < 2 or count % 2:
        raise XcosError(
            f"half of the pairs are genuine and half are not, so {count} cannot be drawn; give an "
            "even number of 2 or more"
        )
    kinds = [np.flatnonzero(vset.pairs.same), np.flatnonzero(~vset.pairs.same)]
    most = 2 * min(map(len, kinds))
    if count > most:
        raise XcosError(
            f"{vset.name} has {len(kinds[0])} genuine and {len(kinds[1])} impostor pairs, so that "
            f"{count} cannot be drawn; ask for {most} or fewer"
        )
    random = np.random.default_rng(seed)
    drawn = np.stack([random.permutation(kind)[: count // 2] for kind in kinds], axis=1).ravel()
    ends = np.stack([vset.pairs.first[drawn], vset.pairs.second[drawn]])
    used, places = np.unique(ends, return_inverse=True)
    faces = np.empty((len(used), FACE_SIZE, FACE_SIZE, 3), np.uint8)
    for positions, batch in FaceReader(vset).batches(used, "faces"):
        faces[np.searchsorted(used, positions)] = batch
    first, second = places.reshape(ends.shape)
    return list(map(Pair, faces[first], faces[second], vset.pairs.same[drawn].tolist()))
