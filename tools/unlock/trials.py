"""Tries of owners and of others, counted."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from tqdm import tqdm

from tools.unlock.people import Person, split_owner
from tools.unlock.rows import Trials
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.intervals import share
from xcos_tf.mobile.decision import compare_all, frame_scores, needed_frames
from xcos_tf.mobile.enrolling import enroll_owner
from xcos_tf.mobile.lite_verifier import LiteVerifier

TWO_BEST = "mean of the two best templates"
RULES: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    TWO_BEST: frame_scores,
    "best template": lambda scores: scores.max(axis=0),
    "mean of all templates": lambda scores: scores.mean(axis=0),
}
ENROLLED = (1, 3, 5)
FRAMES = (1, 3)
_BLOCK = 1000


@dataclass
class _Count:
    owners: int = 0
    refused: int = 0
    genuine: int = 0
    rejected: int = 0
    unusable: int = 0
    impostor: int = 0
    accepted: int = 0


def measure(
    set_name: str, people: Sequence[Person], verifier: LiteVerifier, rules: Sequence[str]
) -> list[Trials]:
    """Enroll everyone with enough photos, and let him and all others try.

    An owner tries with the photos after the fifth that was enrolled, the same whether one, three or
    five are enrolled; everyone else with all photos, on each owner. A try of three frames is three
    photos in the order of their names, none of them used twice.

    Args:
        set_name: what to call the set.
        people: their faces.
        verifier: that `people` were embedded by.
        rules: names of `RULES`.

    Raises:
        XcosError: nobody has enough photos.
    """
    counts = {(rule, n, f): _Count() for rule in rules for n in ENROLLED for f in FRAMES}
    parted = [(person, *split_owner(person.frames)) for person in people]
    owners = [(person, enrolled, left) for person, enrolled, left in parted if len(left)]
    variant = verifier.metadata["variant"]
    for owner, enrolled, left in tqdm(owners, f"{variant}, tries", unit="owner", disable=None):
        others = [person for person in people if person is not owner]
        scores = _Scores(verifier, owner, enrolled, left, others)
        for (rule, number, frames), count in counts.items():
            if not _would_enroll(verifier, owner, enrolled[:number]):
                count.refused += 1
                continue
            count.owners += 1
            scores.count(count, RULES[rule], number, frames)
    if not any(count.genuine for count in counts.values()):
        raise XcosError(
            f"nobody has more than {max(ENROLLED)} photos that can be used; give a set with more"
        )
    return [_row(set_name, verifier, *key, count) for key, count in counts.items() if count.genuine]


class _Scores:
    """Everything that one owner's templates are compared with."""

    def __init__(self, verifier, owner: Person, enrolled, left, others: Sequence[Person]):
        templates = owner.grids[enrolled]
        self._threshold = verifier.threshold()
        self._own_usable = owner.usable[left]
        self._own = _compare(verifier, templates, owner.grids[left])
        self._usable = np.concatenate([person.usable for person in others])
        grids = np.concatenate([person.grids for person in others])
        self._others = _compare(verifier, templates, grids)
        self._ends = np.cumsum([len(person.frames) for person in others])[:-1]

    def count(self, count: _Count, rule, number: int, frames: int) -> None:
        """Add the tries of so many frames on so many templates."""
        matching = rule(self._own[:number]) >= self._threshold
        unlocked, usable = _tries(matching, self._own_usable, frames)
        count.genuine += len(unlocked)
        count.rejected += int((~unlocked).sum())
        count.unusable += int((usable == 0).sum())
        matching = rule(self._others[:number]) >= self._threshold
        for one, its_usable in zip(
            np.split(matching, self._ends), np.split(self._usable, self._ends), strict=True
        ):
            unlocked, _ = _tries(one, its_usable, frames)
            count.impostor += len(unlocked)
            count.accepted += int(unlocked.sum())


def _tries(matching: np.ndarray, usable: np.ndarray, frames: int) -> tuple[np.ndarray, np.ndarray]:
    """Return of each try whether it unlocks, bool (N,), and how many of its frames are usable."""
    whole = len(matching) // frames * frames
    matches = (matching & usable)[:whole].reshape(-1, frames).sum(axis=1)
    left = usable[:whole].reshape(-1, frames).sum(axis=1)
    return (left > 0) & (matches >= needed_frames(left)), left


def _compare(verifier, templates: np.ndarray, grids: np.ndarray) -> np.ndarray:
    """Return xCos (T, F)."""
    blocks = [grids[i : i + _BLOCK] for i in range(0, len(grids), _BLOCK)]
    scores = [compare_all(verifier, templates, block).score for block in blocks]
    return np.concatenate([x.reshape(len(templates), -1) for x in scores], axis=1)


def _would_enroll(verifier, owner: Person, enrolled: np.ndarray) -> bool:
    try:
        enroll_owner(verifier, [owner.frames[i] for i in enrolled], models="")
    except XcosError:
        return False
    return True


def _row(set_name, verifier, rule: str, number: int, frames: int, count: _Count) -> Trials:
    frr, far = share(count.rejected, count.genuine), share(count.accepted, count.impostor)
    return Trials(
        set=set_name,
        variant=verifier.metadata["variant"],
        rule=rule,
        enrolled=number,
        frames=frames,
        owners=count.owners,
        refused=count.refused,
        genuine=count.genuine,
        rejected=count.rejected,
        unusable=count.unusable,
        frr=frr.value,
        frr_low=frr.low,
        frr_high=frr.high,
        impostor=count.impostor,
        accepted=count.accepted,
        far=far.value,
        far_low=far.low,
        far_high=far.high,
        threshold=verifier.threshold(),
        preset_sha256=verifier.metadata["preset_sha256"],
    )
