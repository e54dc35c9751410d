"""SIGTERM and Ctrl-C as a question that a loop asks between two steps."""

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def stop_asked() -> Iterator[Callable[[], int]]:
    """Give a function that says which of SIGTERM and SIGINT (Ctrl-C) came while the block ran.

    It returns the signal's number, of the last one if both came, and 0 if none did.

    The signals do nothing else meanwhile, but for a second Ctrl-C, which interrupts at once; what
    they did before is put back at the end. Outside the main thread, where Python takes no
    signals, the answer stays 0.
    """
    came = [0]
    if threading.current_thread() is not threading.main_thread():
        yield lambda: 0
        return

    def ask(number, frame):
        if number == signal.SIGINT and came[0]:
            raise KeyboardInterrupt
        came[0] = number

    before = {number: signal.signal(number, ask) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: came[0]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
