"""Encoded faces of one or more prepared sets, by position, and whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.errors import XcosError, counted


@dataclass(frozen=True)
class FaceSet:
    """Faces that can be read in any order, by several threads at once.

    Attributes:
        labels: int32 (N,); index into `people`.
        people: names, as "set/person".
    """

    labels: np.ndarray
    people: list[str]
    _sets: Sequence[PreparedSet]
    _set_of: np.ndarray
    _position_in_set: np.ndarray

    def __len__(self) -> int:
        return len(self.labels)

    def read(self, positions: np.ndarray) -> list[bytes]:
        """Return the encoded images at int positions (n,); see `PreparedSet.read`."""
        positions = np.asarray(positions, np.int64)
        images, set_of = np.empty(len(positions), object), self._set_of[positions]
        for number in np.unique(set_of):
            here = np.flatnonzero(set_of == number)
            images[here] = self._sets[number].read(self._position_in_set[positions[here]])
        return images.tolist()

    def select(self, person_mask: np.ndarray) -> "FaceSet":
        """Return the faces of the people where bool `person_mask` (people,) is true, relabelled."""
        kept = np.flatnonzero(person_mask)
        new_label = np.full(len(self.people), -1, np.int32)
        new_label[kept] = np.arange(len(kept))
        faces = np.flatnonzero(new_label[self.labels] >= 0)
        return FaceSet(
            new_label[self.labels[faces]],
            [self.people[i] for i in kept],
            self._sets,
            self._set_of[faces],
            self._position_in_set[faces],
        )


def join_sets(sets: Sequence[PreparedSet]) -> FaceSet:
    """Return the faces of prepared sets, one after another; nobody is in two of them.

    People without a photo that could be used are left out.

    Raises:
        XcosError: a set has pairs instead of people, or two of them hold the same faces.
    """
    people, labels, known = [], [], {}
    for records in sets:
        if not records.people:
            raise XcosError(f"{records.folder} is a set of pairs; train on a set of people")
        same = known.setdefault(records.source["fingerprint"], records)
        if same is not records:
            raise XcosError(
                f"{same.folder} and {records.folder} were prepared from the same faces; give one "
                "of the two"
            )
        labels.append(records.labels + len(people))
        people += [f"{records.folder.name}/{person}" for person in records.people]
    everyone = FaceSet(
        np.concatenate(labels).astype(np.int32),
        people,
        sets,
        np.repeat(np.arange(len(sets), dtype=np.int32), [len(records) for records in sets]),
        np.concatenate([np.arange(len(records)) for records in sets]),
    )
    return everyone.select(np.bincount(everyone.labels, minlength=len(people)) > 0)


def hold_out(faces: FaceSet, counts: dict[str, int], seed: int) -> tuple[FaceSet, FaceSet]:
    """Split off whole people: return the training faces and the validation faces.

    Of each set in `counts`, by its name, so many people are held out, drawn by the seed.

    Raises:
        XcosError: a set has no more people than are to be held out, or is not there.
    """
    random = np.random.default_rng(seed)
    sets = np.array([name.split("/")[0] for name in faces.people])
    held = np.zeros(len(faces.people), bool)
    for name, count in sorted(counts.items()):
        candidates = np.flatnonzero(sets == name)
        if len(candidates) <= count:
            raise XcosError(
                f"cannot hold {counted(count, 'person', 'people')} out of the face set "
                f"{name!r}, which has {len(candidates)}; lower the number or add people"
            )
        held[random.choice(candidates, count, replace=False)] = True
    return faces.select(~held), faces.select(held)


def weigh_people(faces: FaceSet, weights: dict[str, float]) -> np.ndarray:
    """Return each person's weight, float64 (people,): that of their set by name, or 1."""
    return np.array([weights.get(name.split("/")[0], 1.0) for name in faces.people])
