"""Which faces make a batch, and which pairs of them are compared.

Every draw depends on (seed, step, group) alone: the position of a run's input is its step.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Group:
    """Faces that are compared with one another; a batch is one or more groups.

    Attributes:
        faces: int64 (N,), positions in a `FaceSet`.
        labels: int32 (N,), whose they are.
        first, second: int32 (P,), the pairs, as places in the group.
        same: bool (P,), whether a pair is genuine.
    """

    faces: np.ndarray
    labels: np.ndarray
    first: np.ndarray
    second: np.ndarray
    same: np.ndarray


class GroupSampler:
    """Draws `people` people with `faces` faces each, and `pairs` pairs of those.

    Every person is as likely as any other. Exactly round(genuine · pairs) pairs are genuine, each
    of two different photos wherever a drawn person has two; all pairs of a group differ unless
    there are too few.
    """

    def __init__(
        self,
        labels: np.ndarray,
        people: int,
        faces: int,
        pairs: int,
        genuine: float = 0.5,
        seed: int = 0,
    ):
        """Prepare to draw.

        Args:
            labels: int (N,), whose each face is; 0 to M − 1, nobody left out.
            people: at most M; at least 2 where impostor pairs are wanted.
            faces: of each person; at least 2 where genuine pairs are wanted. Who has fewer photos
                brings some twice.
            pairs: in a group; 0 for a plain recogniser.
            genuine: share of genuine pairs, in [0, 1].
            seed: of all draws.

        Raises:
            ValueError: an argument is out of range.
        """
        counts = np.bincount(labels)
        self._genuine = round(genuine * pairs)
        for name, value, low, high in (
            ("people", people, 2 if self._genuine < pairs else 1, len(counts)),
            ("faces", faces, 2 if self._genuine else 1, np.inf),
            ("pairs", pairs, 0, np.inf),
            ("genuine", genuine, 0, 1),
        ):
            if not low <= value <= high:
                raise ValueError(
                    f"Expected `{name}` to be from {low} to {high}. Received: {name}={value}"
                )
        self.people, self.faces, self.pairs, self.seed = people, faces, pairs, seed
        self.labels = labels
        self._order = np.argsort(labels, kind="stable")
        self._ends = np.cumsum(counts)
        self._counts = counts
        # Whoever is drawn, a person's faces take the same places, so which pairs could be genuine
        # is always the same.
        self._first, self._second = np.triu_indices(people * faces, k=1)
        same = self._first // faces == self._second // faces
        self._same, self._impostor = np.flatnonzero(same), np.flatnonzero(~same)

    def draw(self, step: int, group: int = 0) -> Group:
        """Return a group of a step's batch."""
        random = np.random.default_rng([self.seed, step, group])
        people = random.choice(len(self._counts), self.people, replace=False)
        faces = np.concatenate([self._faces_of(person, random) for person in people])
        first, second = self._first[self._same], self._second[self._same]
        genuine = self._same[faces[first] != faces[second]]
        kept = np.concatenate(
            [
                _choose(random, genuine if len(genuine) else self._same, self._genuine),
                _choose(random, self._impostor, self.pairs - self._genuine),
            ]
        )
        swap = random.random(len(kept)) < 0.5
        first, second = self._first[kept], self._second[kept]
        same = np.arange(self.pairs) < self._genuine
        return Group(
            faces,
            self.labels[faces].astype(np.int32),
            np.where(swap, second, first).astype(np.int32),
            np.where(swap, first, second).astype(np.int32),
            same,
        )

    def _faces_of(self, person, random):
        count, end = self._counts[person], self._ends[person]
        chosen = random.choice(count, self.faces, replace=count < self.faces)
        return self._order[end - count + chosen]


def _choose(random, candidates, count):
    if not count:
        return candidates[:0]
    return random.choice(candidates, count, replace=len(candidates) < count)
