"""What the prototype is measured with: people's aligned faces, and TFLite files."""

import tempfile
from argparse import ArgumentParser
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from xcos_tf.errors import XcosError
from xcos_tf.mobile.decision import MAX_TEMPLATES
from xcos_tf.mobile.enrolling import enroll_owner
from xcos_tf.mobile.frames import Frame, read_frames
from xcos_tf.verifier import Verifier

_BATCH = 64
_SUFFIXES = {".jpg", ".jpeg", ".png"}


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
