"""Tries of owners whose face is covered in part: how often a failed one names the part."""

import re
from collections.abc import Callable, Sequence

import numpy as np

from tools.unlock.people import split_owner
from tools.unlock.rows import NOTHING, HintTrials
from xcos_tf.errors import XcosError
from xcos_tf.explain.probing import cover
from xcos_tf.mobile.decision import judge
from xcos_tf.mobile.enrolling import enroll_owner
from xcos_tf.mobile.frames import Frame
from xcos_tf.mobile.lite_verifier import LiteVerifier

ENROLLED = 3
HALVES = ("upper", "lower", "left", "right")


def covered_in_turn(face: np.ndarray) -> dict[str, np.ndarray]:
    """Return {what is covered: the face}, as it is and with its mean colour over each half.

    Args:
        face: uint8 (h, w, 3).
    """
    rows, columns = np.indices(face.shape[:2])
    upper, left = rows < face.shape[0] // 2, columns < face.shape[1] // 2
    masks = np.stack([upper, ~upper, left, ~left])
    copies = cover(face, masks, face.mean(axis=(0, 1)).round())
    return {NOTHING: face, **dict(zip(HALVES, copies, strict=True))}


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
        for face in faces:
            for half, shown in covered_in_turn(face).items():
                counts[half] += _outcome(judge(verifier, owner, [shown]), half)
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
