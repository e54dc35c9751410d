"""Which pairs P is measured on."""

import numpy as np

from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.sampling import GroupSampler
from xcos_tf.errors import XcosError

PEOPLE, FACES, PAIRS = 16, 4, 192  # of a group, at most


def people_to_compare(
    faces: FaceSet, genuine: float, otherwise: str = "ask for impostor pairs alone"
) -> FaceSet:
    """Return the faces that pairs can be made of; people with one photo make no genuine pair.

    Args:
        faces: of a training set.
        genuine: share of genuine pairs, in [0, 1]; where it is 0, everybody stays.
        otherwise: what else than more photos helps where there are too few.

    Raises:
        XcosError: fewer than two people remain.
    """
    counts = np.bincount(faces.labels, minlength=len(faces.people))
    if np.sum(counts > 0) < 2:
        raise XcosError(
            f"correlations need faces of at least 2 people, and there are {np.sum(counts > 0)}; "
            "give more or larger sets"
        )
    kept = counts >= (2 if genuine else 1)
    if kept.sum() < 2:
        raise XcosError(
            f"genuine pairs need at least 2 people with two photos each, and there are "
            f"{kept.sum()}; give more photos, or {otherwise}"
        )
    return faces.select(kept)


def pair_sampler(labels: np.ndarray, genuine: float = 0.5, seed: int = 0) -> GroupSampler:
    """Return a sampler of groups that need few faces for many pairs.

    Args:
        labels: int (N,); 0 to M − 1, M ≥ 2, each at least twice where genuine pairs are wanted.
        genuine: share of genuine pairs, in [0, 1].
        seed: of all draws.
    """
    counts = np.bincount(labels)
    people = min(PEOPLE, len(counts))
    faces = int(np.clip(np.median(counts), 2 if genuine else 1, FACES))
    pairs = float(PAIRS)
    if genuine:
        pairs = min(pairs, people * faces * (faces - 1) / 2 / genuine)
    if genuine < 1:
        pairs = min(pairs, people * (people - 1) / 2 * faces**2 / (1 - genuine))
    return GroupSampler(labels, people, faces, int(pairs), genuine, seed)
