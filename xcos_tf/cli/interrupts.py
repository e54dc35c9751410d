"""Ctrl-C, which no library may swallow."""

import contextlib
import signal
import sys
import threading
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def interrupts() -> Iterator[Callable[[], bool]]:
    """Give a function that says whether SIGINT came while the block ran.

    It raises KeyboardInterrupt as always. A library may turn that into an error of its own, and
    Python passes over it in a finalizer: then it is raised again. A command that handles SIGINT
    itself for a while, and a process that ignores it, are left alone.
    """
    came = threading.Event()
    usual = signal.getsignal(signal.SIGINT) is signal.default_int_handler
    if not usual or threading.current_thread() is not threading.main_thread():
        yield came.is_set
        return

    def interrupt(number, frame):
        came.set()
        raise KeyboardInterrupt

    def passed_over(unraisable):
        if unraisable.exc_type is KeyboardInterrupt:
            # Not at once, or it would be raised in here and be passed over again.
            again.append(threading.Timer(0.1, signal.pthread_kill, (thread, signal.SIGINT)))
            again[-1].start()
        else:
            before(unraisable)

    again, thread = [], threading.get_ident()
    before, sys.unraisablehook = sys.unraisablehook, passed_over
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield came.is_set
    finally:
        for timer in again:
            timer.cancel()
            timer.join()
        signal.signal(signal.SIGINT, signal.default_int_handler)
        sys.unraisablehook = before
