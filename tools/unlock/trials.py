"""Tries of owners and of others, counted: people's aligned faces, and TFLite files."""

import tempfile
from argparse import ArgumentParser
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tools.unlock.table import Trials
from xcos_tf.errors import XcosError
from xcos_tf.metrics.intervals import share
from xcos_tf.mobile.decision import MAX_TEMPLATES, compare_each, frame_scores, needed_frames
from xcos_tf.mobile.enrolling import enroll_owner
from xcos_tf.mobile.frames import Frame, read_frames
from xcos_tf.verifier import Verifier

_BATCH = 64
_SUFFIXES = {".jpg", ".jpeg", ".png"}
CODE = ("tools.unlock", "xcos_tf.mobile", "xcos_tf.evaluation")
"""What the counts follow from; see `code_version`."""
TWO_BEST = "mean of the two best templates"
RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    TWO_BEST: frame_scores,
    "best template": lambda scores: scores.max(axis=0),
    "mean of all templates": lambda scores: scores.mean(axis=0),
}
ENROLLED = (1, 3, 5)
FRAMES = (1, 3)
_BLOCK = 1000


class Person(NamedTuple):
    """A person's name, faces in the order of their names, and grids, float32 (F, 7, 7, 32)."""

    name: str
    frames: Sequence[Frame]
    grids: np.ndarray

    @property
    def usable(self) -> np.ndarray:
        """Bool (F,)."""
        return np.array([frame.usable for frame in self.frames])


def add_inputs(parser: ArgumentParser) -> None:
    """Add FACES and --models, two folders."""
    parser.add_argument("faces", type=Path, metavar="FACES", help="folder of people")
    parser.add_argument(
        "--models",
        type=Path,
        metavar="FOLDER",
        help="TFLite files of `xcos export` (default: made anew of the default preset)",
    )


@contextmanager
def models_of(given: Path | None, variants: Sequence[str]) -> Iterator[Path]:
    """Yield the folder that was given, or one with the default preset's files for the while."""
    if given:
        yield given
        return
    from xcos_tf.export.tflite.export import export_tflite
    from xcos_tf.verifier import DEFAULT_PRESET

    with tempfile.TemporaryDirectory() as made:
        export_tflite(DEFAULT_PRESET, Path(made), variants, None)
        yield Path(made)


def read_people(folder: Path) -> dict[str, list[Frame]]:
    """Return {name: frames} of a folder with a sub-folder of 112×112 faces for each person.

    Raises:
        XcosError: there are fewer than two people, or a face cannot be read.
    """
    people, folders = {}, sorted(path for path in folder.glob("*") if path.is_dir())
    for person in tqdm(folders, desc="reading", unit="person", disable=None):
        files = sorted(path for path in person.iterdir() if path.suffix.lower() in _SUFFIXES)
        if files:
            people[person.name] = read_frames([str(file) for file in files], aligned=True)
    if len(people) < 2:
        raise XcosError(
            f"{folder} has {len(people)} people; give a folder with a sub-folder of aligned faces "
            "for each of several"
        )
    return people


def embed_people(people: dict[str, list[Frame]], verifier: Verifier) -> list[Person]:
    """Run the model once on each face."""
    faces = [frame.face for frames in people.values() for frame in frames]
    title = f"{verifier.config['variant']}, faces"
    starts = tqdm(range(0, len(faces), _BATCH), desc=title, unit="batch", disable=None)
    grids = np.concatenate([verifier.embed(np.stack(faces[i : i + _BATCH])) for i in starts])
    ends = np.cumsum([len(frames) for frames in people.values()])
    return list(map(Person, people, people.values(), np.split(grids, ends[:-1])))


def enroll(verifier: Verifier, frames: Sequence[Frame]):
    """Return the owner, or None if the prototype refuses since the photos do not match."""
    try:
        return enroll_owner(verifier, list(frames), models="")
    except XcosError:
        return None


def split_owner(frames: Sequence[Frame]) -> tuple[np.ndarray, np.ndarray]:
    """Return the indices of a person's first usable faces, to enroll, and of all after those."""
    enrolled = np.flatnonzero([frame.usable for frame in frames])[:MAX_TEMPLATES]
    first_left = enrolled[-1] + 1 if len(enrolled) == MAX_TEMPLATES else len(frames)
    return enrolled, np.arange(first_left, len(frames))


def count_tries(people: Sequence[Person], verifier: Verifier, rules: Sequence[str]) -> np.ndarray:
    """Enroll everyone with enough photos, and let them and all others try, by some of RULES.

    An owner tries with the photos after the fifth that was enrolled, the same whether one, three or
    five are enrolled; everyone else with all photos, on each owner. A try of three frames is three
    photos in the order of their names, none of them used twice.

    Returns:
        int64 (rules, 3, 2, 7), by ENROLLED and FRAMES: owners, refused, genuine, rejected,
        unusable, impostor and accepted, as in `Trials`.

    Raises:
        XcosError: nobody has enough photos.
    """
    counts = np.zeros((len(rules), len(ENROLLED), len(FRAMES), 7), np.int64)
    parted = [(person, *split_owner(person.frames)) for person in people]
    owners = [(person, enrolled, left) for person, enrolled, left in parted if len(left)]
    title = f"{verifier.config['variant']}, tries"
    for owner, enrolled, left in tqdm(owners, title, unit="owner", disable=None):
        others = [person for person in people if person is not owner]
        grids = owner.grids[left], np.concatenate([person.grids for person in others])
        usable = np.concatenate([owner.usable[left], *(person.usable for person in others)])
        ends = np.cumsum([len(left), *(len(person.frames) for person in others)])[:-1]
        templates = owner.grids[enrolled]
        scores = np.concatenate([_compare(verifier, templates, x) for x in grids], axis=1)
        for j, number in enumerate(ENROLLED):
            if not enroll(verifier, [owner.frames[i] for i in enrolled[:number]]):
                counts[:, j, :, 1] += 1
                continue
            for i, rule in enumerate(rules):
                matching = RULES[rule](scores[:number]) >= verifier.threshold()
                whose = list(zip(np.split(matching, ends), np.split(usable, ends), strict=True))
                for k, frames in enumerate(FRAMES):
                    own, *tries = (_tries(*one, frames) for one in whose)
                    accepted = np.concatenate([unlocked for unlocked, _ in tries])
                    counts[i, j, k] += (
                        *(1, 0),
                        *(len(own[0]), (~own[0]).sum(), (own[1] == 0).sum()),
                        *(len(accepted), accepted.sum()),
                    )
    if not counts[..., 2].any():
        raise XcosError(
            f"nobody has more than {max(ENROLLED)} photos that can be used; give a set with more"
        )
    return counts


def rows_of(
    set_name: str, verifier: Verifier, rules: Sequence[str], counts: np.ndarray
) -> list[Trials]:
    """Return a row for each count of `count_tries` with tries, on a set of this name."""
    rows, about = [], verifier.config
    keys = product(rules, ENROLLED, FRAMES)
    for key, count in zip(keys, counts.reshape(-1, 7).tolist(), strict=True):
        genuine, rejected, _, impostor, accepted = count[2:]
        if genuine:
            frr, far = share(rejected, genuine), share(accepted, impostor)
            rows.append(
                Trials(
                    *(set_name, about["variant"], *key, *count[:5], frr.value, frr.low, frr.high),
                    *(impostor, accepted, far.value, far.low, far.high),
                    *(verifier.threshold(), about["weights"]["sha256"]),
                )
            )
    return rows


def _tries(matching: np.ndarray, usable: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return of each try whether it unlocks, bool (N,), and how many of its frames are usable."""
    whole = len(matching) // frames * frames
    matches = (matching & usable)[:whole].reshape(-1, frames).sum(axis=1)
    left = usable[:whole].reshape(-1, frames).sum(axis=1)
    return (left > 0) & (matches >= needed_frames(left)), left


def _compare(verifier, templates: np.ndarray, grids: np.ndarray) -> np.ndarray:
    """Return xCos (T, F)."""
    blocks = [grids[i : i + _BLOCK] for i in range(0, len(grids), _BLOCK)]
    scores = [compare_each(verifier, templates, block)["xcos"] for block in blocks]
    return np.concatenate([x.reshape(len(templates), -1) for x in scores], axis=1)
