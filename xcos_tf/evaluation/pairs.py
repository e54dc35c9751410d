"""Pairs of faces to test on, and what all lists of them have in common."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import NamedTuple

import numpy as np

from xcos_tf.errors import XcosError, explained, shown
from xcos_tf.files import read_bytes
from xcos_tf.metrics.rates import deal_folds


@dataclass(frozen=True)
class PairSet:
    """Pairs of photos, labelled and dealt into folds.

    Attributes:
        photos: each photo once, as a path relative to its folder, with "/", in order of first
            appearance.
        first, second: int64 (P,), the two photos of each pair as positions in `photos`.
        same: bool (P,), whether they show one person (a genuine pair) or two (an impostor pair).
        fold: int64 (P,), 0 to folds − 1.
    """

    photos: list[str]
    first: np.ndarray
    second: np.ndarray
    same: np.ndarray
    fold: np.ndarray

    def __len__(self) -> int:
        return len(self.same)


class ListedPair(NamedTuple):
    """One line of a list: its number from 1, two names, and whether they are one person's."""

    line: int
    first: str
    second: str
    same: bool


def pairs_of(
    names: Sequence[str], first: np.ndarray, second: np.ndarray, same: np.ndarray, fold: np.ndarray
) -> tuple[PairSet, list[int]]:
    """Return pairs with only the photos that they name, and which of `names` those are.

    `first` and `second`, int (P,), are positions in `names`; each number of `fold`, int (P,), is to
    be a fold, in ascending order.
    """
    used = list(dict.fromkeys(np.stack([first, second], axis=1).ravel().tolist()))
    place = np.empty(len(names), np.int64)
    place[used] = np.arange(len(used))
    fold = np.unique(fold, return_inverse=True)[1].astype(np.int64)
    return PairSet([names[i] for i in used], place[first], place[second], same, fold), used


def collect_pairs(
    source: Path, listed: Sequence[ListedPair], fold: np.ndarray | None = None
) -> PairSet:
    """Return P ≥ 1 listed pairs by position of their photos.

    Folds are int (P,), as in `pairs_of`; if there are none, `deal_folds` deals them. XcosError is
    raised if the pairs are of one kind only.
    """
    same = np.array([pair.same for pair in listed], bool)
    check_both_kinds(same, source)
    names = [name for pair in listed for name in (pair.first, pair.second)]
    position = {name: i for i, name in enumerate(dict.fromkeys(names))}
    ends = np.array([position[name] for name in names]).reshape(-1, 2)
    fold = deal_folds(same) if fold is None else fold
    return pairs_of(list(position), ends[:, 0], ends[:, 1], same, fold)[0]


def repeats(first: np.ndarray, second: np.ndarray, what: str) -> list[str]:
    """Return sentences for the report on repeated pairs of a published list, which are kept.

    `first` and `second`, int (P,), are what each pair compares, and `what` that is called.
    """
    ends = np.sort(np.stack([first, second], axis=1), axis=1)
    again, alone = len(ends) - len(np.unique(ends, axis=0)), int(np.sum(first == second))
    told = {"given a second time": again, f"of {what} and itself": alone}
    return [f"Pairs {how}: {n:,}; they count, as published." for how, n in told.items() if n]


def check_both_kinds(same: np.ndarray, source: object) -> None:
    """Raise XcosError unless there are pairs of one person and of two."""
    if same.all() or not same.any():
        raise XcosError(
            f"{source} holds {'genuine' if same.any() else 'impostor'} pairs only; to measure "
            "anything it takes pairs of one person and pairs of two"
        )


def check_photo_folder(folder: str | os.PathLike) -> Path:
    """Return the folder, or raise XcosError if it is none."""
    if not os.path.isdir(folder):
        raise XcosError(
            f"there is no folder {shown(folder)}; give the folder that holds the photos"
        )
    return Path(folder)


def read_text(source: Path) -> str:
    """Return the text of a list, UTF-8; raise XcosError if it is not there or cannot be read."""
    if not os.path.exists(source):
        raise XcosError(f"there is no list of pairs {source}; check the path")
    errors = OSError, UnicodeDecodeError
    with explained(f"{source} cannot be read as a list of pairs", "get it again", errors):
        text = read_bytes(source).decode("utf-8-sig")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def read_lines(source: Path) -> list[tuple[int, str]]:
    """Return (line number from 1, line) of the lines of a list that are not blank.

    Raises XcosError as `read_text` does, or if there are fewer than two.
    """
    lines = enumerate(read_text(source).split("\n"), start=1)
    lines = [(number, line.strip()) for number, line in lines if line.strip()]
    if len(lines) < 2:
        raise XcosError(f"{source} holds no pairs; give LFW's pairs.txt or a list like it")
    return lines


def is_number(text: str) -> bool:
    """Return whether a text spells a whole number from 0 in nine digits at most."""
    return text.isascii() and text.isdigit() and len(text) < 10


def name_within(name: str, source: Path, line: int) -> str:
    """Return a name that a list gives, as a plain path with "/" that stays within its folder.

    Raises XcosError if it is absolute, leads out by "..", or is empty.
    """
    path, as_windows = PurePosixPath(name), PureWindowsPath(name)
    # Windows knows more ways to lead out, all of POSIX's among them.
    if as_windows.anchor or ".." in as_windows.parts or not path.parts or "\0" in name:
        raise XcosError(
            f"line {line} of {source} names {name!r}, which is not a path within the folder; give "
            "paths relative to it, without `..`"
        )
    return str(path)
