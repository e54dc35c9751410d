"""Which faces make a batch, and which pairs of them are compared.

Every draw depends on (seed, step) alone, so a run that resumes at a step sees the same batches.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Batch:
    """Positions of the faces of a batch, and its pairs.

    Attributes:
        variants, images: int64 (N,), positions in a `FeatureCache`.
        labels: int32 (N,), whose the faces are.
        first, second: int32 (P,), positions in the batch.
        same: bool (P,), whether the pair is genuine.
    """

    variants: np.ndarray
    images: np.ndarray
    labels: np.ndarray
    first: np.ndarray
    second: np.ndarray
    same: np.ndarray


class BatchSampler:
    """Draws `people` people with `faces` faces each, and all genuine pairs of them.

    Impostor pairs are drawn at random to make up `pairs` pairs in all.
    """

    def __init__(
        self, labels: np.ndarray, variants: int, people: int, faces: int, pairs: int, seed: int
    ):
        self.variants, self.people, self.faces = variants, people, faces
        self.pairs, self.seed, self.labels = pairs, seed, labels
        self._images = [np.flatnonzero(labels == person) for person in range(labels.max() + 1)]

    def draw(self, step: int) -> Batch:
        """Return the batch of this step."""
        random = np.random.default_rng([self.seed, step])
        people = random.choice(len(self._images), self.people, replace=False)
        images = np.concatenate(
            [
                random.choice(own, self.faces, replace=len(own) < self.faces)
                for own in (self._images[person] for person in people)
            ]
        )
        labels = self.labels[images]
        first, second = np.triu_indices(len(images), k=1)
        same = labels[first] == labels[second]
        # The same photo twice says nothing, even in two variants.
        genuine = np.flatnonzero(same & (images[first] != images[second]))
        impostor = random.choice(np.flatnonzero(~same), self.pairs - len(genuine), replace=False)
        kept = np.concatenate([genuine, impostor])
        swap = random.random(len(kept)) < 0.5
        first, second = first[kept], second[kept]
        return Batch(
            variants=random.integers(self.variants, size=len(images)),
            images=images,
            labels=labels,
            first=np.where(swap, second, first).astype(np.int32),
            second=np.where(swap, first, second).astype(np.int32),
            same=same[kept],
        )
