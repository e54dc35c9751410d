"""What a command reads and writes, checked before anything heavy is imported or done."""

import argparse
import contextlib
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from xcos_tf.errors import XcosError, explained, shown
from xcos_tf.files import check_photo_file, check_readable, read_pipe, replace_file
from xcos_tf.models.preset_folder import find_preset

STANDARD_INPUT = "-"
DEEPEST = 255
"""Folders within one another, of an output."""
LONGEST_LIST, PATIENCE = 2**26, 30.0
"""Bytes of a list that comes out of a pipe, and seconds in which it must come."""


@dataclass(frozen=True)
class Paths:
    """The paths of a command line.

    Attributes:
        photos: files; "-" is standard input.
        files: of others that must be there, {path: sentence for when there is none, with {} where
            the path goes}.
        pipes: of files that may be pipes, the same.
        lists: of text files that may be pipes, the same; see `lists_at_hand`.
        folders: of folders, or whatever else may hold a set, the same.
        presets: bundled names, or folders.
        also_read: paths that are read if they are there.
        written: files that are written.
        filled: folders that files of any name are written into.
    """

    photos: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    pipes: Mapping[str, str] = field(default_factory=dict)
    lists: Mapping[str, str] = field(default_factory=dict)
    folders: Mapping[str, str] = field(default_factory=dict)
    presets: Sequence[str] = ()
    also_read: Sequence[str] = ()
    written: Sequence[str] = ()
    filled: Sequence[str] = ()


def given(*paths: str | None) -> tuple[str, ...]:
    """Return those that are not None."""
    return tuple(path for path in paths if path is not None)


def check_paths(paths: Paths) -> None:
    """Refuse what could not be read, and whatever would be written over what is read.

    Raises:
        XcosError: a photo, file, folder or preset is not there or cannot be read; an output cannot
            be written; or one is an input, by its own name or another, or lies inside one, or a
            folder that is filled has an input in it.
    """
    if list(paths.photos).count(STANDARD_INPUT) > 1:
        raise XcosError("standard input holds one photo; give - once")
    photos = [path for path in paths.photos if path != STANDARD_INPUT]
    for path in photos:
        check_photo_file(path)
    for path, sentence in paths.folders.items():
        check_readable(path, sentence)
    for path, sentence in paths.files.items():
        check_readable(path, sentence, "give a file")
    pipes = {**paths.pipes, **paths.lists}
    for path, sentence in pipes.items():
        check_readable(path, sentence, "give a file", pipe=True)
    presets = [str(find_preset(name)) for name in paths.presets]
    for path in (*paths.written, *paths.filled):
        _check_can_be(path)
    inputs = [*photos, *paths.files, *pipes, *paths.folders, *presets, *paths.also_read]
    _check_apart(inputs, paths.written, paths.filled)


@contextlib.contextmanager
def lists_at_hand(args: argparse.Namespace, paths: Paths) -> Iterator[None]:
    """Put a file in the place of each list that comes out of a pipe, as of `<(grep …)`.

    A pipe can be read once, and in time; readers look at a list more often. Sentences name it.
    """
    pipes = {
        name: path
        for name, path in vars(args).items()
        if isinstance(path, str) and path in paths.lists and stat.S_ISFIFO(os.stat(path).st_mode)
    }
    if not pipes:
        yield
        return
    with tempfile.TemporaryDirectory() as folder:
        for name, path in pipes.items():
            with explained(f"{shown(path)} cannot be read", "give a file"):
                content = read_pipe(path, LONGEST_LIST + 1, PATIENCE)
            if len(content) > LONGEST_LIST:
                raise XcosError(f"{shown(path)} is larger than {LONGEST_LIST} bytes; give a file")
            copy = Path(folder, os.path.basename(path))
            replace_file(copy, lambda stream, content=content: stream.write(content))
            setattr(args, name, str(copy))
        try:
            yield
        except XcosError as error:
            sentence = error.sentence
            for name, path in pipes.items():
                sentence = sentence.replace(getattr(args, name), path)
            raise XcosError(sentence) from error


def _check_can_be(path: str) -> None:
    """Refuse an output whose name no file can have here, or which a file would take the place of.

    A name may be too long; and the place of a device, such as /dev/null, is not a file's.
    """
    if path.count(os.sep) > DEEPEST:  # Python makes folders within one another by recursion
        raise XcosError(f"{path} cannot be written (too many folders); choose another path")
    with explained(f"{path} cannot be written", "choose another path", (OSError, ValueError)):
        try:
            mode = os.stat(path).st_mode
        except (FileNotFoundError, NotADirectoryError):
            return  # each command says what it needs there
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
        raise XcosError(f"{path} is a pipe or a device; choose another path")


def _check_apart(inputs: Iterable[str], written: Iterable[str], filled: Sequence[str]) -> None:
    for output in (*written, *filled):
        for source in inputs:
            if _is_same(output, source):
                raise XcosError(
                    f"{output} would be written over {source}, which is read; choose another path"
                )
            if _is_inside(output, source) or (output in filled and _is_inside(source, output)):
                raise XcosError(
                    f"{source}, which is read, and {output}, which is written, lie one within the "
                    "other; choose a place apart from it"
                )


def _is_same(output: str, source: str) -> bool:
    try:
        return os.path.samefile(output, source)  # hard links too
    except OSError:
        return os.path.realpath(output) == os.path.realpath(source)


def _is_inside(path: str, folder: str) -> bool:
    path, folder = os.path.realpath(path), os.path.realpath(folder)
    return path != folder and os.path.commonpath([path, folder]) == folder
