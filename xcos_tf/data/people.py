"""Folders of people: one sub-folder a person, aligned faces inside."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xcos_tf.errors import XcosError

SUFFIXES = {".jpg", ".jpeg", ".png"}


@dataclass(frozen=True)
class People:
    """Aligned faces and whose they are.

    Attributes:
        paths: of the images, in a fixed order.
        labels: int32 (images,); index into `names`.
        names: of the people, as "set/person".
    """

    paths: list[Path]
    labels: np.ndarray
    names: list[str]

    def select(self, person_mask: np.ndarray) -> "People":
        """Return the faces of the people where bool `person_mask` (people,) is true, relabelled."""
        kept = np.flatnonzero(person_mask)
        new_label = np.full(len(self.names), -1, np.int32)
        new_label[kept] = np.arange(len(kept))
        images = np.flatnonzero(new_label[self.labels] >= 0)
        return People(
            [self.paths[i] for i in images],
            new_label[self.labels[images]],
            [self.names[i] for i in kept],
        )


def read_people(folders: Sequence[str | os.PathLike]) -> People:
    """List the faces of one or more sets, each a folder with one sub-folder a person.

    Raises:
        XcosError: a set is missing or holds no image.
    """
    paths, labels, names = [], [], []
    for folder in map(Path, folders):
        if not folder.is_dir():
            raise XcosError(f"the face set {folder} is not a folder; give one sub-folder a person")
        before = len(paths)
        for person in sorted(path for path in folder.iterdir() if path.is_dir()):
            faces = sorted(path for path in person.iterdir() if path.suffix.lower() in SUFFIXES)
            if faces:
                labels += [len(names)] * len(faces)
                names.append(f"{folder.name}/{person.name}")
                paths += faces
        if len(paths) == before:
            raise XcosError(
                f"the face set {folder} holds no image; give one sub-folder a person, with .jpg "
                "or .png faces inside"
            )
    return People(paths, np.asarray(labels, np.int32), names)


def hold_out(people: People, counts: dict[str, int], seed: int) -> tuple[People, People]:
    """Split off whole people for validation.

    Args:
        people: of one or more sets.
        counts: {set's folder name: number of people to hold out of it}.
        seed: of the draw.

    Returns:
        The training people and the validation people.

    Raises:
        XcosError: a set has no more people than are to be held out, or is not there.
    """
    random = np.random.default_rng(seed)
    sets = np.array([name.split("/")[0] for name in people.names])
    held = np.zeros(len(people.names), bool)
    for name, count in sorted(counts.items()):
        candidates = np.flatnonzero(sets == name)
        if len(candidates) <= count:
            raise XcosError(
                f"cannot hold {count} people out of the face set {name!r}, which has "
                f"{len(candidates)}; lower the number or add people"
            )
        held[random.choice(candidates, count, replace=False)] = True
    return people.select(~held), people.select(held)
