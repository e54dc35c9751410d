"""Standard output and error as a command needs them, whatever the terminal is."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator

from xcos_tf.errors import as_message


@contextlib.contextmanager
def ready_streams() -> Iterator[None]:
    """Let anything be printed: what a terminal's encoding lacks is replaced, not an error.

    Closed descriptors are opened on nothing first, so that no file of ours becomes the place where
    a library prints.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # the lowest number that is free
    before = []
    for stream in (sys.stdout, sys.stderr):
        # Anything else, such as a notebook's, has no encoding to fail by.
        if isinstance(stream, io.TextIOWrapper):
            before.append((stream, stream.errors))
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(errors="replace")
    try:
        yield
    finally:
        for stream, errors in before:
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(errors=errors)


def deliver() -> None:
    """Write what standard output still holds.

    Raises:
        OSError: it cannot be: the disk is full, or the reader is gone.
    """
    if sys.stdout is not None:
        sys.stdout.flush()


def give_up() -> None:
    """Drop what cannot be written, lest Python try again at its end and fail by itself."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        for stream in (sys.stdout, sys.stderr):
            try:
                stream.flush()
            except OSError:
                os.dup2(nowhere, stream.fileno())
            except (AttributeError, ValueError):  # there is none, or it is closed
                pass
    finally:
        os.close(nowhere)


def complain(text: str) -> None:
    """Print a line on standard error, if that can be written to."""
    with contextlib.suppress(OSError, AttributeError, ValueError):
        sys.stderr.write(text + "\n")
        sys.stderr.flush()


@contextlib.contextmanager
def goes_on() -> Iterator[None]:
    """Tell whoever stops the block by Ctrl-C that the work done so far is kept."""
    try:
        yield
    except KeyboardInterrupt:
        print("\nstopped; the same command goes on from here", file=sys.stderr)
        raise


def warn(command: str, sentence: str) -> None:
    """Print what a command says beside its output, on one line of standard error."""
    complain(f"xcos {command}: {as_message(sentence)}")
