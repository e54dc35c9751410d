"""Trying again, as long as the caller still waits."""

import time
from collections.abc import Callable
from typing import TypeVar

from xcos_tf.extras import extra
from xcos_tf.serving.faults import ServerUnavailable

FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds

Answer = TypeVar("Answer")


def call_with_retries(attempt: Callable[[float], Answer], seconds: float, attempts: int) -> Answer:
    """Call until it works, fails for good, or the time or the attempts are used up.

    Before the n-th repetition there is a random pause of up to 0.1 · 2ⁿ⁻¹ s, at most 2 s, so that
    many clients do not come back at once ("full jitter"). Every question to the server may be
    asked twice: none changes anything there.

    Args:
        attempt: called with the seconds that are left.
        seconds: for all attempts and pauses together.
        attempts: the most there are.

    Raises:
        XcosError: the last attempt's.
    """
    with extra("serving", "a server's client"):
        import tenacity

    end = time.monotonic() + seconds
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(ServerUnavailable),
        wait=tenacity.wait_random_exponential(FIRST_PAUSE, LONGEST_PAUSE),
        stop=tenacity.stop_after_attempt(attempts) | tenacity.stop_before_delay(seconds),
        reraise=True,
    )
    return retrying(lambda: attempt(max(end - time.monotonic(), 1e-3)))
