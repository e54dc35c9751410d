"""Lists of pairs as text: reading them, and refusing lines that no measurement should rest on."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

import numpy as np

from xcos_tf.errors import XcosError, explained, shown
from xcos_tf.files import read_bytes


class ListedPair(NamedTuple):
    """One line of a list: its number from 1, two names, and whether they are one person's."""

    line: int
    first: str
    second: str
    same: bool


def check_photo_folder(folder: str | os.PathLike) -> Path:
    """Return the folder, or raise XcosError if it is none."""
    if not os.path.isdir(folder):
        raise XcosError(
            f"there is no folder {shown(folder)}; give the folder that holds the photos"
        )
    return Path(folder)


def read_text(source: Path) -> str:
    """Return the text of a list of pairs, UTF-8.

    Raises:
        XcosError: it is not there, or cannot be read.
    """
    if not os.path.exists(source):
        raise XcosError(f"there is no list of pairs {source}; check the path")
    faults = OSError, UnicodeDecodeError
    with explained(f"{source} cannot be read as a list of pairs", "get it again", faults):
        text = read_bytes(source).decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(source: Path) -> list[tuple[int, str]]:
    """Return (line number from 1, line) of the lines that are not blank.

    Raises:
        XcosError: as by `read_text`, or there are fewer than two.
    """
    lines = [
        (number, line.strip())
        for number, line in enumerate(read_text(source).split("\n"), start=1)
        if line.strip()
    ]
    if len(lines) < 2:
        raise XcosError(f"{source} holds no pairs; give LFW's pairs.txt or a list like it")
    return lines


def is_number(text: str) -> bool:
    """Return whether a text spells a whole number from 0 in nine digits at most."""
    return text.isascii() and text.isdigit() and len(text) < 10


def name_within(name: str, source: Path, line: int) -> str:
    """Return a name that a list gives, as a plain path with "/" that stays within its folder.

    Raises:
        XcosError: it is absolute, leads out by "..", or is empty.
    """
    path, as_windows = PurePosixPath(name), PureWindowsPath(name)
    # Windows knows more ways to lead out, all of POSIX's among them.
    if as_windows.anchor or ".." in as_windows.parts or not path.parts or "\0" in name:
        raise XcosError(
            f"line {line} of {source} names {name!r}, which is not a path within the folder; give "
            "paths relative to it, without `..`"
        )
    return str(path)


def refuse_repeats(source: Path, listed: Sequence[ListedPair]) -> None:
    """Refuse pairs that say nothing new: given before, faces swapped or not, or of one photo.

    Raises:
        XcosError: there is one; the sentence names its line, and the other one.
    """
    lines = {}
    for pair in listed:
        if pair.first == pair.second:
            raise XcosError(
                f"line {pair.line} of {source} compares {shown(pair.first)} with itself; take "
                "it out"
            )
        before = lines.setdefault(frozenset((pair.first, pair.second)), pair.line)
        if before != pair.line:
            raise XcosError(
                f"lines {before} and {pair.line} of {source} hold the same pair, "
                f"{shown(pair.first)} and {shown(pair.second)}; take one of them out"
            )


def repeats(first: np.ndarray, second: np.ndarray, what: str) -> list[str]:
    """Return sentences for the report on repeated pairs of a published list, which are kept.

    Args:
        first, second: int (P,), what each pair compares.
        what: that is called.
    """
    ends = np.sort(np.stack([first, second], axis=1), axis=1)
    again, alone = len(ends) - len(np.unique(ends, axis=0)), int(np.sum(first == second))
    sentences = []
    if again:
        sentences.append(f"Pairs given a second time: {again:,}; they count, as published.")
    if alone:
        sentences.append(f"Pairs of {what} and itself: {alone:,}; they count, as published.")
    return sentences


def check_both_kinds(same: np.ndarray, source: object) -> None:
    """Raise XcosError unless there are pairs of one person and of two."""
    if same.all() or not same.any():
        raise XcosError(
            f"{source} holds {'genuine' if same.any() else 'impostor'} pairs only; to measure "
            "anything it takes pairs of one person and pairs of two"
        )
