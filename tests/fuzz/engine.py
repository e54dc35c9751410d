"""What may come of an input: something that can be used, or one sentence; soon, and in silence."""

import contextlib
import faulthandler
import os
import re
import resource
import sys
import tempfile
import time
import traceback
import unicodedata
import warnings
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TextIO

import numpy as np

from xcos_tf.errors import QUOTED, XcosError

HUNG = 120.0
"""Seconds after which the process ends, with a traceback."""
LONGEST = 600
"""Characters of a sentence; paths in it are of this run's folder, which is short."""
_GUARD = 6 * 2**30
_CONTROL = {"Cc", "Cf", "Cs", "Zl", "Zp"}

Random = np.random.Generator


class Trial(NamedTuple):
    """How one reader is tried.

    Attributes:
        draw: returns an input.
        read: gives it to the reader, uses what comes of it as its consumer would, and raises
            AssertionError where that is of no use.
    """

    draw: Callable[[Random], Any]
    read: Callable[[Any], object]


@dataclass(frozen=True)
class Reader:
    """Something that reads what a user can hand us.

    Attributes:
        name: for the table.
        prepare: makes what is right in an empty folder, and returns how it is tried.
        share: of the inputs of a run, in parts of what all readers have together.
        seconds: of the processor's time, that one input may take.
        megabytes: that one input may take besides what was there.
        speaks: whether a library in C may print, which Python cannot keep it from.
        refuses: kinds of errors that say an input is wrong; ValueError where the API documents it.
    """

    name: str
    prepare: Callable[[Path], Trial]
    share: float = 1.0
    refuses: tuple[type[Exception], ...] = (XcosError,)
    seconds: float = 5.0
    megabytes: int = 600
    speaks: bool = False


@dataclass
class Found:
    """What came of a reader's inputs.

    Attributes:
        inputs: how many there were.
        taken: of them were read; the others were refused.
        faults: {kind: the first that was found of it, and how many}.
    """

    inputs: int = 0
    taken: int = 0
    faults: dict[str, str] = field(default_factory=dict)
    counts: dict[str, int] = field(default_factory=dict)

    def add(self, kind: str, told: str) -> None:
        self.faults.setdefault(kind, told)
        self.counts[kind] = self.counts.get(kind, 0) + 1


def try_reader(reader: Reader, inputs: int, seed: int, first: int = 0) -> Found:
    """Give a reader inputs number `first` to `first + inputs - 1` of a seed.

    Each input follows from its number alone, so that one can be drawn again by itself.
    """
    found = Found()
    with tempfile.TemporaryDirectory(prefix="fz") as folder, _within(Path(folder)) as printed:
        trial = reader.prepare(Path())
        printed()
        for number in range(first, first + inputs):
            random = np.random.default_rng([seed, zlib.crc32(reader.name.encode()), number])
            given = trial.draw(random)
            found.inputs += 1
            for kind, told in _faults(reader, trial, given, found, printed):
                found.add(kind, f"input {number}: {told}")
    return found


def _faults(reader, trial, given, found, printed) -> Iterator[tuple[str, str]]:
    before, started = _resident(), time.process_time()
    faulthandler.dump_traceback_later(HUNG, exit=True, file=printed.errors)
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        try:
            trial.read(given)
            found.taken += 1
        except reader.refuses as error:
            yield from _sentence_faults(error, given)
        except Exception as error:
            yield _kind_of(error), f"{type(error).__name__}: {str(error)[:300]}"
        finally:
            faulthandler.cancel_dump_traceback_later()
    seconds, megabytes = time.process_time() - started, (_peak() - before) / 2**20
    if seconds > reader.seconds:
        yield "slow", f"{seconds:.1f} s"
    if megabytes > reader.megabytes:
        yield "memory", f"{megabytes:.0f} MB"
    for warning in warned:
        if not issubclass(warning.category, (DeprecationWarning, ResourceWarning)):
            yield f"warning {Path(warning.filename).name}:{warning.lineno}", str(warning.message)
    if (text := printed()) and not reader.speaks:
        yield "printed", text[:300]


def _kind_of(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    ours = [x for x in frames if "/xcos_tf/" in x.filename or "/tools/" in x.filename] or frames
    return f"{type(error).__name__} at {Path(ours[-1].filename).name}:{ours[-1].lineno}"


def _sentence_faults(error: Exception, given) -> Iterator[tuple[str, str]]:
    text = str(error)
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}"
    if any(unicodedata.category(x) in _CONTROL for x in text):
        yield f"not one line at {place}", repr(text[:300])
    if len(text) > LONGEST:
        yield f"too long at {place}", f"{len(text)} characters: {text[:300]}"
    if _quotes(text, given):
        yield f"quotes too much at {place}", text[:300]


def _quotes(text: str, given) -> bool:
    """Return whether more than 100 characters of an input stand in a sentence as they are."""
    if isinstance(given, (tuple, list)):
        return any(_quotes(text, x) for x in given)
    if len(text) <= QUOTED or not isinstance(given, (bytes, str)):
        return False
    whole = given.decode("utf-8", "replace") if isinstance(given, bytes) else given
    length = QUOTED + 1
    return any(text[i : i + length] in whole for i in range(len(text) - QUOTED))


class _Printed:
    """What is printed meanwhile.

    Attributes:
        errors: descriptor of what standard error was before.
    """

    def __init__(self, text: TextIO, errors: int):
        self._text, self._at, self.errors = text, 0, errors

    def __call__(self) -> str:
        """Return what was printed since the last time."""
        self._text.flush()
        file, at = self._text.fileno(), self._at
        self._at = os.fstat(file).st_size
        return os.pread(file, self._at - at, at).decode(errors="replace")


@contextlib.contextmanager
def _within(folder: Path) -> Iterator[_Printed]:
    """Work in a folder with bounded memory, and keep what is printed off the terminal."""
    place, limits = os.getcwd(), resource.getrlimit(resource.RLIMIT_AS)
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    kept = [os.dup(1), os.dup(2)]
    with tempfile.TemporaryFile() as file:
        streams = sys.stdout, sys.stderr
        text = os.fdopen(os.dup(file.fileno()), "w", errors="replace", buffering=1)
        try:
            os.dup2(file.fileno(), 1)
            os.dup2(file.fileno(), 2)
            sys.stdout = sys.stderr = text
            os.chdir(folder)
            resource.setrlimit(resource.RLIMIT_AS, (size + _GUARD, limits[1]))
            yield _Printed(text, kept[1])
        finally:
            resource.setrlimit(resource.RLIMIT_AS, limits)
            os.chdir(place)
            sys.stdout, sys.stderr = streams
            for number, descriptor in enumerate(kept, 1):
                os.dup2(descriptor, number)
                os.close(descriptor)
            text.close()


def _resident() -> int:
    """Return the bytes that the process has in memory, and begin to watch its peak."""
    Path("/proc/self/clear_refs").write_text("5")
    return _status("VmRSS")


def _peak() -> int:
    return _status("VmHWM")


def _status(name: str) -> int:
    text = Path("/proc/self/status").read_text()
    return 1024 * int(re.search(rf"^{name}:\s*(\d+) kB", text, re.MULTILINE)[1])
