"""A small set of generated faces that counts how often each is read."""

from dataclasses import dataclass, field

import numpy as np

from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.verification_set import VerificationSet


@dataclass
class CountedPhotos:
    """Photos in memory, as `Photos`, and how often each was read."""

    images: list[np.ndarray]
    names: list[str]
    reads: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.images)

    def read(self, position: int) -> np.ndarray:
        self.reads.append(position)
        return self.images[position]


def counted_set(photos: int = 6, pairs: int = 12, side: int = 112) -> VerificationSet:
    """Return pairs of smooth noise, each photo in several, in three folds of both kinds."""
    random = np.random.default_rng(7)
    coarse = random.integers(0, 256, (photos, 7, 7, 3)).astype(np.uint8)
    images = [np.kron(image, np.ones((16, 16, 1), np.uint8))[:side, :side] for image in coarse]
    names = [f"person-{i}/{i}.png" for i in range(photos)]
    first = np.arange(pairs) % photos
    second = (first + 1 + np.arange(pairs) // photos) % photos
    same = np.arange(pairs) % 2 == 0
    pair_set = PairSet(names, first, second, same, np.arange(pairs) % 6 // 2)
    return VerificationSet("drawn", CountedPhotos(images, names), pair_set, True, "f" * 64)
