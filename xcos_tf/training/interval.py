"""Means over a stretch of steps."""

from collections.abc import Mapping


class Interval:
    """The steps since some moment: their mean losses, and how long one takes.

    A step of which the time is not known counts for the losses alone.
    """

    def __init__(self):
        self.steps = self._timed = 0
        self._seconds = 0.0
        self._sums: dict[str, float] = {}

    def add(self, losses: Mapping[str, float], seconds: float | None) -> None:
        """Add a step."""
        self.steps += 1
        for name, value in losses.items():
            self._sums[name] = self._sums.get(name, 0.0) + float(value)
        if seconds is not None:
            self._timed += 1
            self._seconds += seconds

    @property
    def losses(self) -> dict[str, float]:
        """Mean of each loss, to six digits; empty before the first step."""
        return {name: float(f"{total / self.steps:.6g}") for name, total in self._sums.items()}

    @property
    def seconds_per_step(self) -> float | None:
        """Mean time of a step; None if it is not known of any."""
        return self._seconds / self._timed if self._seconds else None
