"""Faces of people who are not there, around those of people who are."""

from collections.abc import Iterator

import numpy as np

from xcos_tf.arrays import unit_length

PEOPLE = 1024
"""Of a block."""

PHOTOS = 4
"""Of each person that a store may hold; one more is searched for."""

MIXED = 3
"""Real faces that a person is the mean of."""


class SyntheticPeople:
    """Templates without end, the same for the same real ones.

    A person is the mean of `MIXED` real faces; a photo of them differs from that as two photos of a
    real person do from one another, by 1/√2. All is done on cells of unit length.
    """

    def __init__(self, features: np.ndarray, labels: np.ndarray):
        """Take real templates, float32 (N, h, w, c), and whose each is, (N,).

        Raises:
            ValueError: nobody has two.
        """
        self._real = unit_length(features)
        order = np.argsort(labels, kind="stable")
        mates = labels[order][1:] == labels[order][:-1]
        self._mates = np.stack([order[1:][mates], order[:-1][mates]], axis=1)
        if not len(self._mates):
            raise ValueError("Expected two templates of one person or more. Received: none")

    def block(self, number: int) -> np.ndarray:
        """Return templates of people, float32 (PEOPLE, PHOTOS + 1, h, w, c)."""
        random = np.random.default_rng([2021, number])
        mixed = random.integers(len(self._real), size=(PEOPLE, MIXED))
        people = unit_length(sum(self._real[mixed[:, i]] for i in range(MIXED)))
        drawn = random.integers(len(self._mates), size=(PEOPLE, PHOTOS + 1))
        a, b = np.moveaxis(self._mates[drawn], -1, 0)
        photos = np.sign(random.uniform(-1, 1, (*a.shape, 1, 1, 1)).astype(np.float32))
        photos = photos * (self._real[a] - self._real[b]) / np.sqrt(np.float32(2))
        return unit_length(people[:, np.newaxis] + photos)

    def enrolled(self, count: int) -> Iterator[np.ndarray]:
        """Go through the templates of a store of so many, some thousand at a time."""
        for number in range(-(-count // (PEOPLE * PHOTOS))):
            block = self.block(number)[:, :PHOTOS]
            yield block.reshape(-1, *block.shape[2:])[: count - number * PEOPLE * PHOTOS]

    def searched(self, count: int) -> np.ndarray:
        """Return one more template of each of the first people, float32 (count, h, w, c)."""
        return self.block(0)[:count, PHOTOS]
