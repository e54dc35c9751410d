"""What a command reads and writes, checked before anything heavy is imported or done."""

import os
import stat
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from xcos_tf.errors import XcosError, reason_of
from xcos_tf.files import check_photo_file, check_readable
from xcos_tf.models.preset_folder import find_preset

STANDARD_INPUT = "-"
DEEPEST = 255
"""Folders within one another, of an output."""


@dataclass(frozen=True)
class Paths:
    """The paths of a command line.

    Attributes:
        photos: files; "-" is standard input.
        files: of others that must be there, {path: sentence for when there is none, with {} where
            the path goes}.
        pipes: of files that may be pipes, the same.
        folders: of folders, or whatever else may hold a set, the same.
        presets: bundled names, or folders.
        also_read: paths that are read if they are there.
        written: files that are written.
        filled: folders that files of any name are written into.
    """

    photos: Sequence[str] = ()
    files: Mapping[str, str] = field(default_factory=dict)
    pipes: Mapping[str, str] = field(default_factory=dict)
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
    for path, sentence in paths.pipes.items():
        check_readable(path, sentence, "give a file", pipe=True)
    presets = [str(find_preset(name)) for name in paths.presets]
    for path in (*paths.written, *paths.filled):
        _check_can_be(path)
    inputs = [*photos, *paths.files, *paths.pipes, *paths.folders, *presets, *paths.also_read]
    _check_apart(inputs, paths.written, paths.filled)


def _check_can_be(path: str) -> None:
    """Refuse an output whose name no file can have here, or which a file would take the place of.

    A name may be too long; and the place of a device, such as /dev/null, is not a file's.
    """
    if path.count(os.sep) > DEEPEST:  # Python makes folders within one another by recursion
        raise XcosError(f"{path} cannot be written (too many folders); choose another path")
    try:
        mode = os.stat(path).st_mode
    except (FileNotFoundError, NotADirectoryError):
        return  # each command says what it needs there
    except (OSError, ValueError) as error:
        raise XcosError(
            f"{path} cannot be written ({reason_of(error)}); choose another path"
        ) from None
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
