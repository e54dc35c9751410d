"""Tries of owners and of others, counted: people's aligned faces, and TFLite files.

What was counted is rows of CSV files, which read as Markdown.
"""

import tempfile
from argparse import ArgumentParser
from collections import namedtuple
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import product
from pathlib import Path
from typing import NamedTuple

import numpy as np
from tqdm import tqdm

from tools.results import table
from xcos_tf.cli.parser import add
from xcos_tf.errors import XcosError
from xcos_tf.metrics.intervals import format_rate, share
from xcos_tf.metrics.rates import Rate
from xcos_tf.mobile.decision import MAX_TEMPLATES, frame_scores, needed_frames
from xcos_tf.mobile.enrolling import enroll_owner
from xcos_tf.mobile.frames import Frame, read_frames
from xcos_tf.models.preset_folder import DEFAULT_PRESET
from xcos_tf.templates import Gallery
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
NOTHING = "nothing"

Trials = namedtuple(
    "Trials",
    "set variant rule enrolled frames owners refused genuine rejected unusable frr frr_low "
    "frr_high impostor accepted far far_low far_high threshold preset_sha256",
)
"""One rule, by which several templates give one score, with one variant on one set.

`enrolled` are photos of each owner, `frames` of each try. Of the `owners` the prototype `refused`
to enroll some, since their photos do not match one another. `genuine` are tries of owners; of those
that were `rejected`, no photo was usable in the `unusable`. `impostor` are tries of others. FRR and
FAR have 95 % confidence intervals; the score was held against `threshold`.
"""

HintTrials = namedtuple(
    "HintTrials", "set covered variant owners tries failed named right preset_sha256"
)
"""The tries of `owners`, single photos, with one half covered, or `NOTHING`.

Of those that `failed`, the hints of some `named` an area, and of these some the `right` half.
"""


class Person(NamedTuple):
    """A person's faces, in the order of their names, and grids, float32 (F, 7, 7, 32)."""

    frames: Sequence[Frame]
    grids: np.ndarray

    @property
    def usable(self) -> np.ndarray:
        """Bool (F,)."""
        return np.array([frame.usable for frame in self.frames])


def add_inputs(parser: ArgumentParser) -> None:
    """Add FACES and --models, two folders."""
    add(parser, "faces FACES", "folder of people", Path)
    words = "TFLite files of `xcos export` (default: made anew of the default preset)"
    add(parser, "--models FOLDER", words, Path)


@contextmanager
def models_of(given: Path | None, variants: Sequence[str]) -> Iterator[Path]:
    """Yield the folder that was given, or one with the default preset's files for the while."""
    from xcos_tf.export.tflite.export import export_tflite

    with tempfile.TemporaryDirectory() as made:
        if not given:
            export_tflite(DEFAULT_PRESET, Path(made), variants)
        yield given or Path(made)


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
    return list(map(Person, people.values(), np.split(grids, ends[:-1])))


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
        grids = np.concatenate([owner.grids[left], *(person.grids for person in others)])
        usable = np.concatenate([owner.usable[left], *(person.usable for person in others)])
        ends = np.cumsum([len(left), *(len(person.frames) for person in others)])[:-1]
        scores = verifier.compare(Gallery(owner.grids[enrolled]), Gallery(grids))
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


def unlock_table(rows: Sequence[Trials]) -> str:
    """Return one line for each row; the rule is named if there are several."""
    columns = {
        "models": lambda row: row.variant,
        "score of a frame": lambda row: row.rule,
        "photos enrolled": lambda row: str(row.enrolled),
        "frames of a try": lambda row: str(row.frames),
        "owners": lambda row: f"{row.owners}" + f" ({row.refused} refused)" * (row.refused > 0),
        "false rejects": lambda row: (
            f"{_rate(row.frr, row.frr_low, row.frr_high)}, {row.rejected:,} of {row.genuine:,}"
        ),
        "false accepts": lambda row: (
            f"{_rate(row.far, row.far_low, row.far_high)}, {row.accepted:,} of {row.impostor:,}"
        ),
    }
    if len({row.rule for row in rows}) == 1:
        del columns["score of a frame"]
    return table(rows, columns)


def float32_table(rows: Sequence[Trials]) -> str:
    """Return that of the float32 models alone."""
    return unlock_table([row for row in rows if row.variant == "float32"])


def hint_table(rows: Sequence[HintTrials]) -> str:
    """Return one line for each half."""
    columns = {
        "covered": lambda row: row.covered + " half" * (row.covered != NOTHING),
        "tries": lambda row: f"{row.tries:,}",
        "failed": lambda row: f"{row.failed:,} ({format_rate(share(row.failed, row.tries))})",
        "of those, named a part": lambda row: _share(row.named, row.failed),
        "a part that was covered": lambda row: (
            _share(row.right, row.failed) * (row.covered != NOTHING)
        ),
    }
    return table(rows, columns)


def _share(count: int, total: int) -> str:
    return format_rate(share(count, total)) if total else ""


def _rate(value: float, low: float, high: float) -> str:
    """Return a rate with as many digits as a small one needs."""
    if value >= 0.001:
        return format_rate(Rate(value, low, high))
    return f"{100 * value:.4f} % ({100 * low:.4f}–{100 * high:.4f})"
