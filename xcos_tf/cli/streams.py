"""Standard output and error as a command needs them, whatever the terminal is."""

import argparse
import contextlib
import io
import logging
import os
import sys
from collections.abc import Iterator

from xcos_tf.errors import as_message
from xcos_tf.progress import Bar, log


@contextlib.contextmanager
def ready_streams(args: argparse.Namespace) -> Iterator[None]:
    """Let anything be printed: what a terminal's encoding lacks is replaced, not an error.

    What `log` says is printed too, of the command that is in `args` once it is known. Closed
    descriptors are opened on nothing first, so that no file of ours becomes the place where a
    library prints.
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
    handler, level, propagate = _OnStandardError(args), log.level, log.propagate
    log.addHandler(handler)
    log.propagate = False
    log.setLevel(logging.INFO)
    try:
        yield
    finally:
        log.removeHandler(handler)
        log.propagate = propagate
        log.setLevel(level)
        for stream, errors in before:
            with contextlib.suppress(OSError, ValueError):
                stream.reconfigure(errors=errors)


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


@contextlib.contextmanager
def goes_on() -> Iterator[None]:
    """Tell whoever stops the block by Ctrl-C that the work done so far is kept."""
    try:
        yield
    except KeyboardInterrupt:
        log.info("\nstopped; the same command goes on from here")
        raise


class _OnStandardError(logging.Handler):
    """Prints between bars, if there is a standard error.

    Warnings and errors begin with the command's name; what is for debugging, with the seconds since
    the start. A warning is one sentence, see `as_message`. A traceback comes before its error.
    """

    def __init__(self, args: argparse.Namespace):
        super().__init__()
        self._args = args

    def emit(self, record):
        text = record.getMessage()
        if record.levelno == logging.WARNING:
            text = as_message(text)
        if record.levelno >= logging.WARNING:
            command = self._args.command
            text = f"{f'xcos {command}' if command else 'xcos'}: {text}"
        if record.levelno == logging.DEBUG:
            text = f"{record.relativeCreated / 1000:.1f} s: {text}"
        if record.exc_info:
            text = f"{logging.Formatter().formatException(record.exc_info)}\n{text}"
        with contextlib.suppress(OSError, AttributeError, ValueError):
            Bar.write(text, sys.stderr)
            sys.stderr.flush()
