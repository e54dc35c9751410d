"""Tries of owners whose face is covered in part: how often a failed one names the part."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tools.paper.rows import read_rows
from tools.unlock.people import split_owner
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.intervals import format_rate, share
from xcos_tf.evaluation.results_text import markdown_table
from xcos_tf.mobile.decision import judge
from xcos_tf.mobile.enrolling import enroll_owner
from xcos_tf.mobile.frames import Frame
from xcos_tf.mobile.lite_verifier import LiteVerifier

ENROLLED = 3
NOTHING = "nothing"
HALVES = {
    "upper": (slice(0, 56), slice(None)),
    "lower": (slice(56, 112), slice(None)),
    "left": (slice(None), slice(0, 56)),
    "right": (slice(None), slice(56, 112)),
}


@dataclass(frozen=True)
class HintTrials:
    """The tries with one half covered.

    Attributes:
        set: what the faces are.
        covered: which half of the image, or `NOTHING`.
        variant: of the models.
        owners: who tried.
        tries, failed: single photos of owners, and those that did not unlock.
        named, right: of the failed, those whose hint names an area, and one in the covered half.
        preset_sha256: of the weights.
    """

    set: str
    covered: str
    variant: str
    owners: int | None
    tries: int | None
    failed: int | None
    named: int | None
    right: int | None
    preset_sha256: str


def cover(face: np.ndarray, half: str) -> np.ndarray:
    """Return a face, uint8 (112, 112, 3), with its mean colour over one of `HALVES`, or itself."""
    if half == NOTHING:
        return face
    covered = face.copy()
    covered[HALVES[half]] = face.mean(axis=(0, 1)).round().astype(np.uint8)
    return covered


def measure_hints(
    set_name: str,
    people: dict[str, Sequence[Frame]],
    verifier: LiteVerifier,
    show: Callable[[list], list] = list,
) -> list[HintTrials]:
    """Enroll three photos of each, and try with each usable one after the fifth, covered and not.

    Args:
        set_name: what to call the set.
        people: {name: photos}.
        verifier: of the prototype.
        show: shows progress along a list.

    Raises:
        XcosError: nobody has enough photos that match one another.
    """
    counts = {half: np.zeros(4, int) for half in (NOTHING, *HALVES)}
    owners = 0
    for frames in show(list(people.values())):
        enrolled, left = split_owner(frames)
        faces = [frames[i].face for i in left if frames[i].usable]
        if not faces:
            continue
        try:
            owner = enroll_owner(verifier, [frames[i] for i in enrolled[:ENROLLED]], models="")
        except XcosError:
            continue
        owners += 1
        for half, count in counts.items():
            for face in faces:
                count += _outcome(judge(verifier, owner, [cover(face, half)]), half)
    if not owners:
        raise XcosError("nobody has enough photos that match; give a set with more of each person")
    about = verifier.metadata
    return [
        HintTrials(set_name, half, about["variant"], owners, *map(int, x), about["preset_sha256"])
        for half, x in counts.items()
    ]


def _outcome(decision, half: str) -> np.ndarray:
    """Return int (4,): a try, whether it failed, named an area, and one of this half."""
    named = re.match(r"the (\w+ \w+) of the face looks covered", decision.hint)
    right = named is not None and half in named[1].split()
    return np.array([1, not decision.unlocked, named is not None, right])


def hint_table(rows: Sequence[HintTrials]) -> str:
    """Return one line for each half."""
    heading = ["covered", "tries", "failed", "of those, named a part", "a part that was covered"]
    lines = [
        [
            row.covered + (" half" if row.covered != NOTHING else ""),
            f"{row.tries:,}",
            f"{row.failed:,} ({format_rate(share(row.failed, row.tries))})",
            _share(row.named, row.failed),
            _share(row.right, row.failed) if row.covered != NOTHING else "",
        ]
        for row in rows
    ]
    return markdown_table(heading, lines)


def _share(count: int, total: int) -> str:
    return format_rate(share(count, total)) if total else ""


def hints(results: Path) -> str:
    """Return what tools/measure_hints.py measured."""
    return hint_table(read_rows(results / "unlock-hints.csv", HintTrials, "measure_hints"))
