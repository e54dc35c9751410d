"""How long exported models take, measured in turn so that noise hits all alike."""

import time
from collections.abc import Callable, Sequence

import numpy as np

WARM_UP = 5


def seconds_of(runs: Sequence[Callable[[], object]], rounds: int) -> list[float]:
    """Return the shortest that each took.

    Other programs only ever add to a time, and to a long run's more often than to a short one's.

    Args:
        runs: functions of nothing.
        rounds: of one call of each.
    """
    seconds = np.empty((WARM_UP + rounds, len(runs)))
    for row in seconds:
        for number, run in enumerate(runs):
            start = time.perf_counter()
            run()
            row[number] = time.perf_counter() - start
    return seconds[WARM_UP:].min(axis=0).tolist()
