"""How often it went wrong, and what that leads to: waiting, then a lock-out."""

import math
import time
from dataclasses import dataclass, replace

WAITS = (0.0, 0.0, 30.0, 120.0)
"""Seconds to wait after the first, the second, … failure in a row."""
LOCKED_AFTER = len(WAITS) + 1
"""Failures in a row that lock out for good: only enrolling again helps."""


@dataclass(frozen=True)
class Moment:
    """A time by two clocks."""

    wall: float  # seconds since 1970, which a user can set
    running: float  # seconds since the machine was started, which they cannot

    @classmethod
    def now(cls) -> "Moment":
        """Return this moment."""
        # Linux's goes on while the machine sleeps.
        clock = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)
        return cls(time.time(), time.clock_gettime(clock))


@dataclass(frozen=True)
class Attempts:
    """What is kept of the tries so far."""

    number: int  # of times that the record was written, by which an older one is recognised
    failures: int  # in a row
    last: Moment  # when the last of them was

    def failed(self, now: Moment) -> "Attempts":
        """Return the record after one more failure."""
        return Attempts(self.number + 1, self.failures + 1, now)

    def succeeded(self, now: Moment) -> "Attempts":
        """Return the record after a success."""
        return Attempts(self.number + 1, 0, now)

    def clock_set_back(self, now: Moment) -> "Attempts | None":
        """Return the record with the wait begun anew if the clock was set back, else None."""
        if now.wall >= self.last.wall:
            return None
        return replace(self, number=self.number + 1, last=now)

    def wait(self, now: Moment) -> float:
        """Return the seconds until the next try is allowed; infinite after a lock-out.

        Time passed is the least that both clocks allow, so that setting the one forward does not
        help. After a restart of the machine, which sets the other to 0, there is only the first.
        """
        if self.failures >= LOCKED_AFTER:
            return math.inf
        if not self.failures:
            return 0.0
        passed = now.wall - self.last.wall
        if now.running >= self.last.running:
            passed = min(passed, now.running - self.last.running)
        return max(0.0, WAITS[self.failures - 1] - max(0.0, passed))
