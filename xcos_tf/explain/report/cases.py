"""Which pairs a gallery shows: those that a score is most or least sure of, right or wrong."""

from dataclasses import dataclass

import numpy as np

SHOWN = 4


@dataclass(frozen=True)
class Group:
    """Pairs that were judged alike.

    Attributes:
        title: such as "False accepts".
        meaning: of the title, for whoever is new to it.
        right: whether that is how they should be judged.
        count: of such pairs in the set.
        shown: int64 (at most `SHOWN`,), the pairs farthest beyond the threshold, the farthest
            first; of equal ones the first of the set first.
        least: int64 (at most `SHOWN`,), of the others those nearest to the threshold, the nearest
            first.
    """

    title: str
    meaning: str
    right: bool
    count: int
    shown: np.ndarray
    least: np.ndarray


_GROUPS = (
    ("True accepts", "one person, and recognised as such", True, True),
    ("False accepts", "two people, taken for one", False, True),
    ("True rejects", "two people, and told apart", False, False),
    ("False rejects", "one person, taken for two", True, False),
)


def most_confident(
    values: np.ndarray, same: np.ndarray, threshold: float, shown: int = SHOWN
) -> list[Group]:
    """Return true accepts, false accepts, true rejects and false rejects, in this order.

    Args:
        values: float (P,), scores.
        same: bool (P,).
        threshold: a pair is accepted where its score reaches it.
        shown: how many of each to show at most.
    """
    values = np.asarray(values, np.float64)
    accepted = values >= threshold
    groups = []
    for title, meaning, genuine, accept in _GROUPS:
        members = np.flatnonzero((same == genuine) & (accepted == accept))
        members = members[np.argsort(-np.abs(values[members] - threshold), kind="stable")]
        most, others = members[:shown], members[shown:]
        groups.append(
            Group(title, meaning, genuine == accept, len(members), most, others[::-1][:shown])
        )
    return groups
