"""What libraries say of themselves, kept off the terminal, in any number of threads."""

import contextlib
import logging
import os
import sys
import threading
import warnings
from collections.abc import Callable, Iterator

LEVEL = "TF_CPP_MIN_LOG_LEVEL"
"""The variable that says what TensorFlow and LiteRT may print; at 3 nothing but failures."""

# A notebook's back end of matplotlib, or another one of Keras, may not even be installed here; and
# keras.json, in Keras's home, is for the user's own programs.
_OWN_SETTINGS = {
    "KERAS_BACKEND": "tensorflow",
    "KERAS_HOME": os.devnull,
    "KERAS_NNX_ENABLED": "false",
    "MPLBACKEND": "agg",
}


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


@contextlib.contextmanager
def quiet_libraries(speak: bool = False) -> Iterator[None]:
    """Keep back the warnings of libraries, which a user of a command cannot act on.

    If it is to `speak`, for a report, they pass; so they do if the user set TF_CPP_MIN_LOG_LEVEL.
    """
    if speak or LEVEL in os.environ or sys.warnoptions:
        yield
        return
    # TensorFlow adds no handler of its own where there is one. Some loggers have a level of theirs.
    errors, before = logging.StreamHandler(), logging.root.level
    errors.setLevel(logging.ERROR)
    logging.root.addHandler(errors)
    logging.root.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.root.removeHandler(errors)
        logging.root.setLevel(before)


def ready_environment() -> None:
    """Set the environment as the commands need it, whatever it is set for.

    Notices of TensorFlow are left out, unless the user set TF_CPP_MIN_LOG_LEVEL.
    """
    if "tensorflow" not in sys.modules:  # else the process is not a command's own
        os.environ.update(_OWN_SETTINGS)
        os.environ.pop("TF2_BEHAVIOR", None)
    os.environ.setdefault(LEVEL, "3")


def import_tensorflow() -> None:
    """Import TensorFlow as the commands need it.

    Raises:
        ImportError: it cannot be imported, whatever the reason.
    """
    ready_environment()
    with quiet_start():
        try:
            import tensorflow  # noqa: F401
        except Exception as error:  # another version of what it needs brings up anything
            raise ImportError(f"tensorflow: {type(error).__name__}: {error}") from error
