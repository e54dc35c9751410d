"""Which faces make a batch, and which pairs of them, or of a whole set, are compared.

`EpochSampler` takes each image in turn, for runs that count epochs; `GroupSampler` draws people,
for runs that count steps. Every draw depends on (seed, step, group) alone: the position of a run's
input is its step. Of both, `size` says how many faces a group has, and `pairs` how many pairs.
"""

from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from xcos_tf.data.records.source import Pairs


@dataclass(frozen=True)
class Group:
    """Faces that are compared with one another; a batch is one or more groups."""

    faces: np.ndarray  # int64 (N,), positions in a `FaceSet`
    labels: np.ndarray  # int32 (N,), whose they are
    first: np.ndarray  # int32 (P,), of the pairs, as places in the group
    second: np.ndarray  # likewise
    same: np.ndarray  # bool (P,), whether a pair is genuine


class EpochSampler:
    """Takes each image of a set once in an epoch, alone or as the first of a pair.

    A group is one image, or one pair. Epoch e is an order of its own of all N images, and the
    orders follow one another: group g of a step with G groups is at position step · G + g, which
    is in epoch position // N. So a step may hold the end of an epoch and the start of the next.

    An image's partner is a coin's choice: any other photo of the same person, or any photo of
    somebody else. Photos are chosen, not people, so how often one is seen does not depend on how
    many photos its person has: once an epoch as the first, and once on average as a partner. Who
    has one photo makes impostor pairs alone, and is seen half as often as a partner.
    """

    def __init__(self, labels: np.ndarray, groups: int, genuine: float | None = 0.5, seed: int = 0):
        """Prepare to draw.

        Args:
            labels: int (N,), whose each image is; 0 to M − 1, nobody left out.
            groups: in a step's batch.
            genuine: chance, in [0, 1], that a partner is the same person's; None: no partners.
            seed: of all draws.

        Raises:
            ValueError: an argument is out of range, or all images are of one person and pairs are
                wanted.
        """
        if groups < 1:
            raise ValueError(f"Expected `groups` to be at least 1. Received: groups={groups}")
        if genuine is not None and not 0 <= genuine <= 1:
            raise ValueError(
                f"Expected `genuine` to be from 0 to 1, or None. Received: genuine={genuine}"
            )
        self._counts = np.bincount(labels)
        if genuine is not None and len(self._counts) < 2:
            raise ValueError(
                "Expected `labels` to be of 2 people or more, for impostor pairs. Received: those "
                f"of {len(self._counts)}"
            )
        self.size, self.pairs, self.seed = (1, 0, seed) if genuine is None else (2, 1, seed)
        self.labels = labels
        self._groups, self._genuine = groups, genuine
        self._by_person = np.argsort(labels, kind="stable")
        self._ends = np.cumsum(self._counts)
        # A step may need two of them at once.
        self._order = lru_cache(maxsize=2)(self._shuffled)

    def draw(self, step: int, group: int = 0) -> Group:
        epoch, place = divmod(step * self._groups + group, len(self.labels))
        faces = [self._order(epoch)[place]]
        if self.pairs:
            random = np.random.default_rng([self.seed, step, group])
            faces.append(self._partner(faces[0], random))
        labels = self.labels[faces].astype(np.int32)
        first = np.zeros(self.pairs, np.int32)
        return Group(np.array(faces), labels, first, first + 1, labels[first] == labels[first + 1])

    def _shuffled(self, epoch):
        # The 2 keeps it apart from all draws of `draw` and of `training_dataset`.
        return np.random.default_rng([self.seed, epoch, 0, 2]).permutation(len(self.labels))

    def _partner(self, face, random):
        person = self.labels[face]
        count, end = self._counts[person], self._ends[person]
        start = end - count
        if random.random() < self._genuine and count > 1:
            other = self._by_person[start + random.integers(count - 1)]
            # The last one stands in for the face itself, so each of the others is as likely.
            return other if other != face else self._by_person[end - 1]
        place = random.integers(len(self.labels) - count)
        return self._by_person[place if place < start else place + count]


class GroupSampler:
    """Draws `people` people with `faces` faces each, and `pairs` pairs of those.

    Every person is as likely as any other, or as their weight says. Exactly
    round(genuine · pairs) pairs are genuine, each of two different photos wherever a drawn person
    has two; all pairs of a group differ unless there are too few.
    """

    def __init__(
        self,
        labels: np.ndarray,
        people: int,
        faces: int,
        pairs: int,
        genuine: float = 0.5,
        seed: int = 0,
        weights: np.ndarray | None = None,
        near: float = 0.0,
        embeddings: np.ndarray | None = None,
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
            weights: float (M,), 0 or above; who has twice another's is twice as likely to be the
                next who is drawn. All alike when None. Who has 0 may have no face.
            near: how much likelier impostor pairs are that are alike: a pair's chance grows with
                e^(near · cosine) of its embeddings.
            embeddings: float32 (N, dimension), of unit length; all impostor pairs are as likely
                when None.

        Raises:
            ValueError: an argument is out of range.
        """
        counts = np.bincount(labels, minlength=0 if weights is None else len(weights))
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
        self.size = people * faces
        self.labels = labels
        self._near, self._embeddings = near, embeddings
        self._chances = None if weights is None else weights / np.sum(weights)
        self._order = np.argsort(labels, kind="stable")
        self._ends = np.cumsum(counts)
        self._counts = counts
        # Whoever is drawn, a person's faces take the same places, so which pairs could be genuine
        # is always the same.
        self._first, self._second = np.triu_indices(people * faces, k=1)
        same = self._first // faces == self._second // faces
        self._same, self._impostor = np.flatnonzero(same), np.flatnonzero(~same)

    def draw(self, step: int, group: int = 0) -> Group:
        random = np.random.default_rng([self.seed, step, group])
        people = random.choice(len(self._counts), self.people, replace=False, p=self._chances)
        faces = np.concatenate([self._faces_of(person, random) for person in people])
        first, second = self._first[self._same], self._second[self._same]
        genuine = self._same[faces[first] != faces[second]]
        kept = np.concatenate(
            [
                _choose(random, genuine if len(genuine) else self._same, self._genuine),
                _choose(random, self._impostor, self.pairs - self._genuine, self._likely(faces)),
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

    def _likely(self, faces):
        """Return how likely each impostor pair is to be drawn; None where all are alike."""
        if self._embeddings is None:
            return None
        embeddings = self._embeddings[faces]
        cosines = (embeddings @ embeddings.T)[
            self._first[self._impostor], self._second[self._impostor]
        ]
        chances = np.exp(self._near * cosines.astype(np.float64))
        return chances / chances.sum()

    def _faces_of(self, person, random):
        count, end = self._counts[person], self._ends[person]
        chosen = random.choice(count, self.faces, replace=count < self.faces)
        return self._order[end - count + chosen]


def _choose(random, candidates, count, chances=None):
    if not count:
        return candidates[:0]
    return random.choice(candidates, count, replace=len(candidates) < count, p=chances)


Sampler = EpochSampler | GroupSampler


def draw_pairs(labels: np.ndarray, genuine: int, impostor: int, seed: int) -> Pairs:
    """Draw pairs of different faces without repetition, fewer where there are not as many.

    Every genuine pair is as likely as any other, and so is every impostor pair. Time and memory
    grow with the faces and with the pairs that are asked for, not with those that there are.
    Labels, int (N,) of 0 or above, say whose each face is; genuine pairs come first.
    """
    random = np.random.default_rng(seed)
    counts = np.bincount(labels).astype(np.int64)
    ordered = np.argsort(labels, kind="stable")
    starts = np.cumsum(counts) - counts
    within = counts * (counts - 1) // 2

    def draw_genuine(size):
        person = random.choice(len(counts), size, p=within / within.sum())
        first = random.integers(counts[person])
        other = random.integers(counts[person] - 1)
        second = other + (other >= first)
        return ordered[starts[person] + first], ordered[starts[person] + second]

    def draw_impostor(size):
        first, second = random.integers(len(labels), size=(2, size))
        differ = labels[first] != labels[second]
        return first[differ], second[differ]

    everything = len(labels) * (len(labels) - 1) // 2
    parts = [
        _distinct(draw_genuine, genuine, int(within.sum()), labels, True, random),
        _distinct(draw_impostor, impostor, everything - int(within.sum()), labels, False, random),
    ]
    first, second = np.concatenate(parts, axis=1)
    return Pairs(first, second, labels[first] == labels[second])


def _distinct(draw, wanted, there_are, labels, same, random):
    """Return int64 (2, n) of n = min(wanted, there_are) different pairs, in random order."""
    wanted = min(wanted, there_are)
    if 2 * wanted > there_are:  # then drawing again and again would take long
        first, second = np.triu_indices(len(labels), k=1)
        candidates = np.flatnonzero((labels[first] == labels[second]) == same)
        kept = random.choice(candidates, wanted, replace=False)
        return np.stack([first[kept], second[kept]])
    codes = np.empty(0, np.int64)
    while len(codes) < wanted:
        first, second = draw(2 * (wanted - len(codes)) + 16)
        more = np.minimum(first, second) * len(labels) + np.maximum(first, second)
        codes = np.concatenate([codes, more])
        codes = codes[np.sort(np.unique(codes, return_index=True)[1])]
    return np.stack(np.divmod(codes[:wanted], len(labels)))
