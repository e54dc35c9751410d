"""When a checkpoint is due."""

import time


class Cadence:
    """Every so many steps, and also when so many minutes have passed since the last time."""

    def __init__(self, every: int, minutes: float | None = None):
        self.every, self.minutes = every, minutes
        self._last = time.monotonic()

    def late(self) -> bool:
        """Return whether the minutes have passed."""
        return self.minutes is not None and time.monotonic() - self._last >= 60 * self.minutes

    def due(self, step: int) -> bool:
        """Return whether it is time after `step` steps; if so, the minutes start anew."""
        if step % self.every and not self.late():
            return False
        self._last = time.monotonic()
        return True
