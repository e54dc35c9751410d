"""S and W over a whole set: every pair's score and weights, and the mean of the set's faces."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.evaluation.protocol import embed
from xcos_tf.evaluation.set_faces import SetFaces
from xcos_tf.evaluation.subject import Subject
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.verifier import PAIR_BLOCK


@dataclass(frozen=True)
class SetMaps:
    """What a preset's default score makes of a set's pairs.

    Attributes:
        score: its name, such as "learned".
        values: float32 (P,), of each pair; of videos the mean over all pairs of their frames.
        attention_maps: W of each pair, float32 (P, h, w); of videos the mean likewise.
        mean_face: uint8 (112, 112, 3) RGB, over all photos of the set.
    """

    score: str
    values: np.ndarray
    attention_maps: np.ndarray
    mean_face: np.ndarray


def explain_set(subject: Subject, vset: VerificationSet) -> SetMaps:
    """Explain every pair; each photo goes through the backbone once.

    Features of all photos are in memory at once, 6.3 kB each for a grid of 7×7×32, and W of all
    pairs, 0.2 kB each.

    Raises:
        XcosError: as by `embed`, or the preset has no grid.
    """
    verifier = subject.verifier
    score = verifier.attentions[-1]
    total = np.zeros((FACE_SIZE, FACE_SIZE, 3))

    def faces() -> Iterator[tuple[np.ndarray, np.ndarray]]:
        for positions, batch in SetFaces(vset).batches(range(len(vset.photos)), "faces"):
            total[...] += batch.sum(axis=0)
            yield positions, batch

    grids = embed([subject], faces(), vset.photos.names)[subject]
    count = len(vset.pairs)
    values, attention_maps = np.zeros(count), np.zeros((count, *grids.shape[1:3]))
    for pairs, first, second, weight in _blocks(vset):
        outputs = verifier.explain_pairs(grids[first], grids[second], score)
        np.add.at(values, pairs, weight * outputs["xcos"])
        np.add.at(attention_maps, pairs, weight * outputs["attention_map"])
    mean_face = np.round(total / len(vset.photos)).astype(np.uint8)
    return SetMaps(score, values.astype(np.float32), attention_maps.astype(np.float32), mean_face)


def _blocks(vset: VerificationSet) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, float]]:
    """Yield pairs, the photos at their ends, and what each counts for in the pair's mean."""
    ends = vset.pairs.first, vset.pairs.second
    if vset.videos is None:
        for start in range(0, len(vset.pairs), PAIR_BLOCK):
            pairs = np.arange(start, min(start + PAIR_BLOCK, len(vset.pairs)))
            yield pairs, ends[0][pairs], ends[1][pairs], 1.0
        return
    for pair, (a, b) in enumerate(tqdm(list(zip(*ends, strict=True)), "videos", unit="pair")):
        frames = np.stack(np.meshgrid(vset.videos[a], vset.videos[b])).reshape(2, -1)
        for start in range(0, frames.shape[1], PAIR_BLOCK):
            first, second = frames[:, start : start + PAIR_BLOCK]
            yield np.full(len(first), pair), first, second, 1 / frames.shape[1]
