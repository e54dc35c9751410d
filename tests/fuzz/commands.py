"""Command lines: odd paths and odd options, up to where the work begins and through it."""

import argparse
import contextlib
import importlib
import io
import os
import shutil
import sys
from pathlib import Path
from unittest import mock

from tests.cli.every_command import INVOCATIONS, make_places
from tests.fuzz.engine import LONGEST, Reader, Trial
from tests.fuzz.mutate import SPELLINGS, WORDS
from xcos_tf.cli.main import COMMANDS, build_parser, main
from xcos_tf.errors import XcosError, on_one_line

_VERDICTS = ("verify", "unlock")
_OUTSIDE = ("/dev/zero", "/dev/full", "/dev/null", "/proc/self/mem", "/", "..", "/etc/passwd/x")
"""Where nothing may be written, not even by a command that forgets to refuse it."""
_LINES = tuple(INVOCATIONS.values())


def _odd_paths(folder: Path) -> tuple[str, ...]:
    """Make what paths can be, besides regular files and folders."""
    os.symlink("loop", folder / "loop")
    os.symlink("nowhere", folder / "dangling")
    os.symlink("people", folder / "linked")
    os.mkfifo(folder / "pipe")
    (folder / "empty").touch()
    (folder / "folder").mkdir()
    (folder / "line\nfeed").mkdir()
    shutil.copy(folder / "a.png", folder / "b\nb.png")
    shutil.copy(folder / "a.png", os.fsencode(folder) + b"/c\xff.png")
    return (
        *("loop", "dangling", "linked", "pipe", "empty", "folder", "line\nfeed", "b\nb.png"),
        *("c\udcff.png", "x" * 300, "y " * 150, "é" * 200, "d/" * 2000, "a.png/e", "-", "", "."),
        *("loop/f", "pipe/g", "empty/h", "missing", "missing/i", "folder/new.png", "j\nk/l.png"),
        *("people", "a.png", "pairs.csv", "config.yaml", "words", "data/set", "a\0b", "--", "\x1b"),
    )


def _options() -> dict[str, list[argparse.Action]]:
    """Return the options of each command."""
    (commands,) = (x for x in build_parser()._actions if isinstance(x, argparse._SubParsersAction))
    return {
        name: [action for action in parser._actions if action.option_strings]
        for name, parser in commands.choices.items()
    }


def _command_lines(folder: Path, through: bool) -> Trial:
    places = {name: str(path) for name, path in make_places(folder).items()}
    odd, options = _odd_paths(folder), _options()
    if not through:
        odd += _OUTSIDE
    kept = folder.absolute()

    def value(random) -> str:
        kind = random.random()
        if kind < 0.4:
            return odd[random.integers(len(odd))]
        if kind < 0.7:
            return SPELLINGS[random.integers(len(SPELLINGS))]
        word = WORDS[random.integers(len(WORDS))]
        return "word" if through and (".." in word or word.startswith("/")) else word

    def draw(random):
        line = _LINES[random.integers(len(_LINES))]
        words = [places.get(word, word) for word in line.words]
        for _ in range(min(int(random.geometric(0.6)), 3)):
            kind, at = random.random(), int(random.integers(1, len(words) + 1))
            if kind < 0.5 and at < len(words) and not words[at].startswith("--"):
                words[at] = value(random)
            elif kind < 0.6:
                words.insert(at, value(random))
            elif kind < 0.65 and at < len(words):
                del words[at]
            else:
                action = options[line.words[0]][random.integers(len(options[line.words[0]]))]
                words.append(action.option_strings[-1])
                if action.nargs != 0:
                    words.append(value(random))
        return words

    def read(words):
        os.chdir(kept)
        _check_run(words, through)

    return Trial(draw, read)


def _check_run(words: list[str], through: bool) -> None:
    output, errors = (io.TextIOWrapper(io.BytesIO(), "utf-8") for _ in range(2))
    work, begins = contextlib.ExitStack(), mock.Mock(side_effect=XcosError("work begins"))
    if through:  # but for what takes minutes
        work.enter_context(mock.patch("xcos_tf.export.tflite.export.export_tflite", begins))
    else:
        for name in COMMANDS:
            module = importlib.import_module(f"xcos_tf.cli.{name.replace('-', '_')}")
            work.enter_context(mock.patch.object(module, "run", begins))
    with work, mock.patch.multiple(sys, stdout=output, stderr=errors, stdin=io.StringIO()):
        try:
            code = main(words)
        except SystemExit as error:  # the parser's
            code = error.code
        errors.flush()
    told = errors.buffer.getvalue().decode()
    allowed = (0, 1, 2, 3) if words and words[0] in _VERDICTS else (0, 2)
    assert code in allowed, f"exit code {code} of {words}: {told[:300]}"
    assert "a bug in xcos_tf" not in told, f"{told[-600:]}: {words}"
    if "--debug" not in words:
        assert "Traceback" not in told, f"{words}: {told[:300]}"
    if code == 2:
        _check_sentence(words, told)


def _check_sentence(words: list[str], told: str) -> None:
    *before, last = [line for line in told.splitlines() if line.strip()] or [""]
    assert last.startswith("xcos"), f"{words}: {told[-300:]}"
    assert len(last) <= LONGEST + 40, f"{words}: {len(last)} characters: {last[:200]}"
    assert last == on_one_line(last), f"{words}: {last[:300]!r}"
    usage = before and before[0].startswith("usage:")
    bars = [x for x in before if "%|" in x or "it/s" in x or x.startswith("xcos ")]
    if not usage and not {"--debug", "--verbose"} & set(words):
        assert len(bars) == len(before), f"{words}: {told[:400]}"
    for word in words:
        if len(word) > 100:
            assert not any(word[i : i + 101] in last for i in range(0, len(word) - 100, 50)), (
                f"quotes too much: {last[:200]}"
            )


def _until_work(folder: Path) -> Trial:
    return _command_lines(folder, through=False)


def _whole(folder: Path) -> Trial:
    return _command_lines(folder, through=True)


READERS = (
    Reader("command lines, until work begins", _until_work, 1.5),
    Reader("command lines", _whole, 0.05, seconds=60, megabytes=3000, speaks=True),
)
