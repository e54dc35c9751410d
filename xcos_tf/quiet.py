"""What libraries say of themselves, kept off the terminal, in any number of threads."""

import contextlib
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
"""The variable that says what TensorFlow and LiteRT may print; at 3 nothing but failures."""


@contextlib.contextmanager
def silent_standard_error() -> Iterator[None]:
    """Send what any library writes to file descriptor 2 to nowhere for a while."""
    with contextlib.ExitStack() as stack:
        if sys.stderr is not None:
            sys.stderr.flush()
        with contextlib.suppress(OSError):  # it is closed, or no more can be opened
            nowhere = os.open(os.devnull, os.O_WRONLY)
            stack.callback(os.close, nowhere)
            kept = os.dup(2)
            stack.callback(os.close, kept)
            os.dup2(nowhere, 2)
            stack.callback(os.dup2, kept, 2)
        yield


@contextlib.contextmanager
def no_warnings() -> Iterator[None]:
    """Let no warning of Python's appear for a while."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


class Shared:
    """What changes the whole process, from when the first of several threads enters a block until
    the last of them is done; neither of the above alone is safe in threads."""

    def __init__(self, change: Callable[[], contextlib.AbstractContextManager]):
        """Take what makes the context."""
        self._change, self._lock, self._threads = change, threading.Lock(), 0
        self._entered = contextlib.ExitStack()

    def __enter__(self):
        with self._lock:
            if not self._threads:
                self._entered.enter_context(self._change())
            self._threads += 1

    def __exit__(self, *_):
        with self._lock:
            self._threads -= 1
            if not self._threads:
                self._entered.close()


_STARTING = Shared(silent_standard_error)


def quiet_start() -> contextlib.AbstractContextManager:
    """Keep back what TensorFlow and LiteRT print while they start, where the level is 3.

    Some of it is written before they look at the level, hence the file descriptor.
    """
    return _STARTING if os.environ.get(LEVEL) == "3" else contextlib.nullcontext()
