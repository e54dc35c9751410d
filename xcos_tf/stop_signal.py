"""SIGTERM and Ctrl-C as a question that a loop asks between two steps."""

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PATIENCE = 30.0
"""Seconds in which a step must end once a signal has come, or twice what any took before."""

_SIGNALS = (signal.SIGTERM, signal.SIGINT)


class StopAsked:
    """Says, when called, which signal came: the last one's number, or 0.

    Within `step`, where Python may see no signal since TensorFlow computes, another thread does:
    it ends the process if the step goes on for too long after one, or if another comes later.
    """

    def __init__(self, patience: float = PATIENCE):
        self._came, self._since, self._patience = 0, None, patience

    def __call__(self) -> int:
        return self._came

    @contextmanager
    def step(self) -> Iterator[None]:
        """Do nothing within the block that may not be cut short, such as writing a file."""
        self._since = time.monotonic()
        try:
            yield
        finally:
            self._patience = max(self._patience, 2 * (time.monotonic() - self._since))
            self._since = None

    def ask(self, number: int, frame: object) -> None:
        if number == signal.SIGINT and self._came:
            raise KeyboardInterrupt
        self._came = number

    def watch(self, signals: int) -> None:
        """End the process where a step does not; until the descriptor `signals` is closed."""
        first = last = number = None
        while True:
            if select.select([signals], [], [], 0.1 if first else None)[0]:
                numbers = os.read(signals, 64)
                if not numbers:
                    return
                if came := [x for x in numbers if x in _SIGNALS]:
                    number, last = came[-1], time.monotonic()
                    first = first or last
            since = self._since
            if first is None or since is None:
                continue
            # Who passes a signal on may send it twice at once.
            if last - first > 1 or time.monotonic() - max(since, first) > self._patience:
                with suppress(OSError):
                    os.write(2, _CUT_SHORT)
                os._exit(128 + number)


_CUT_SHORT = (
    b"\nstopped within a step that did not end; the same command goes on from the last checkpoint\n"
)


@contextmanager
def stop_asked(patience: float = PATIENCE) -> Iterator[StopAsked]:
    """Give what says which of SIGTERM and SIGINT (Ctrl-C) came while the block ran.

    The signals do nothing else meanwhile, but for a second Ctrl-C, which interrupts at once, and
    for what `StopAsked.step` says; what they did before is put back at the end. Outside the main
    thread, where Python takes no signals, the answer stays 0.
    """
    asked = StopAsked(patience)
    if threading.current_thread() is not threading.main_thread():
        yield asked
        return
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    # The system writes to it whatever TensorFlow does meanwhile.
    before_fd = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    before = {number: signal.signal(number, asked.ask) for number in _SIGNALS}
    watcher = threading.Thread(target=asked.watch, args=(reading,), daemon=True)
    watcher.start()
    try:
        yield asked
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        signal.set_wakeup_fd(before_fd)
        os.close(writing)
        watcher.join()
        os.close(reading)
