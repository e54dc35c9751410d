"""Lists of face pairs to test on, and the `pairs.txt` of Labeled Faces in the Wild."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xcos_tf.errors import XcosError, shown
from xcos_tf.evaluation.pair_list import (
    ListedPair,
    check_both_kinds,
    check_photo_folder,
    is_number,
    name_within,
    read_lines,
    refuse_repeats,
)
from xcos_tf.evaluation.photo_finder import PhotoFinder
from xcos_tf.metrics.folds import deal_folds


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


def read_lfw_pairs(pairs_file: str | os.PathLike, folder: str | os.PathLike) -> PairSet:
    """Read a list in the format of LFW's `pairs.txt`.

    The first line holds the number of folds F and of genuine pairs in each, n. F times 2·n lines
    follow, whose columns are separated by tabs: `name i j` is a genuine pair, `name i name j` an
    impostor pair. Photo 1 of Some_Name is `Some_Name/Some_Name_0001.jpg` in the folder, or
    what `PhotoFinder` takes for it. Format: Huang et al., "Labeled Faces in the Wild", TR 07-49,
    UMass Amherst, 2007.

    Args:
        pairs_file: the list.
        folder: of the photos, with a folder for each person.

    Raises:
        XcosError: either does not exist or cannot be read, the list is empty or of one kind only, a
            line is malformed, names a photo that is not in the folder, or a pair that another line
            has or of a photo and itself; or there are not as many pairs as promised.
    """
    source, folder = Path(pairs_file), check_photo_folder(folder)
    lines = read_lines(source)
    folds, each = _parse_header(source, *lines[0])
    if len(lines) - 1 != folds * 2 * each:
        raise XcosError(
            f"{source} promises {folds} × 2 × {each} = {folds * 2 * each} pairs in its first line, "
            f"but holds {len(lines) - 1}; get the file again"
        )
    photos = LfwPhotos(folder, source)
    listed = [_parse_pair(source, number, line, photos) for number, line in lines[1:]]
    refuse_repeats(source, listed)
    return collect_pairs(source, listed, np.arange(len(listed), dtype=np.int64) // (2 * each))


def collect_pairs(
    source: Path, listed: Sequence[ListedPair], fold: np.ndarray | None = None
) -> PairSet:
    """Return listed pairs by position of their photos.

    Args:
        source: the list.
        listed: P pairs, P ≥ 1.
        fold: int (P,), as in `pairs_of`; without it, `deal_folds` deals them.

    Raises:
        XcosError: they are of one kind only.
    """
    same = np.array([pair.same for pair in listed], bool)
    check_both_kinds(same, source)
    positions = {}
    ends = np.array(
        [
            [positions.setdefault(name, len(positions)) for name in (pair.first, pair.second)]
            for pair in listed
        ]
    )
    fold = deal_folds(same) if fold is None else fold
    return pairs_of(list(positions), ends[:, 0], ends[:, 1], same, fold)[0]


def pairs_of(
    names: Sequence[str], first: np.ndarray, second: np.ndarray, same: np.ndarray, fold: np.ndarray
) -> tuple[PairSet, list[int]]:
    """Return pairs with only the photos that they name, and which of `names` those are.

    Args:
        names: N of photos.
        first, second: int (P,), positions in `names`.
        same: bool (P,).
        fold: int (P,), any numbers; each that is there becomes a fold, in ascending order.
    """
    used = list(dict.fromkeys(np.stack([first, second], axis=1).ravel().tolist()))
    place = np.empty(len(names), np.int64)
    place[used] = np.arange(len(used))
    fold = np.unique(fold, return_inverse=True)[1].astype(np.int64)
    return PairSet([names[i] for i in used], place[first], place[second], same, fold), used


class LfwPhotos:
    """Finds photos that are stored as LFW's are: photo 1 of Some_Name, Some_Name_0001.jpg."""

    def __init__(self, folder: Path, source: Path):
        """Look in `folder` for what the list `source` names."""
        self._folder, self._source = folder, source
        self._finder = PhotoFinder(folder)

    def find(self, name: str, photo: int, line: int) -> str:
        """Return the photo's path within the folder.

        Raises:
            XcosError: it is not there.
        """
        stem = name_within(f"{name}/{name}_{photo:04d}", self._source, line)
        if found := self._finder.by_stem(stem):
            return found
        raise XcosError(
            f"the photo {shown(stem)}.jpg of line {line} of {self._source} is not in "
            f"{self._folder}; give the folder that holds one folder for each person, "
            "with all their photos"
        )


def parse_lfw_columns(columns: Sequence[str], photos: LfwPhotos, line: int) -> ListedPair | None:
    """Return the pair that `name i j` or `name i name j` says, or None if it is neither.

    Raises:
        XcosError: a photo is not there.
    """
    if len(columns) == 3:
        columns = [columns[0], columns[1], columns[0], columns[2]]
        same = True
    elif len(columns) == 4 and columns[0] != columns[2]:
        same = False
    else:
        return None
    numbers = [_whole_number(column) for column in columns[1::2]]
    if None in numbers or not columns[0] or not columns[2]:
        return None
    first = photos.find(columns[0], numbers[0], line)
    return ListedPair(line, first, photos.find(columns[2], numbers[1], line), same)


def _parse_header(source: Path, number: int, line: str) -> tuple[int, int]:
    counts = [_whole_number(word) for word in line.split()]
    if len(counts) != 2 or None in counts:
        raise XcosError(
            f"line {number} of {source} must hold the number of folds and of genuine pairs in "
            f"each, as in `10 300`, but is {line!r}"
        )
    return counts[0], counts[1]


def _parse_pair(source: Path, number: int, line: str, photos: LfwPhotos) -> ListedPair:
    # Copies of the file are about that have spaces for tabs; LFW's names hold neither.
    columns = [column.strip() for column in (line.split("\t") if "\t" in line else line.split())]
    pair = parse_lfw_columns(columns, photos, number)
    if pair is None:
        raise XcosError(
            f"line {number} of {source} must be `name i j` (one person) or `name i name j` (two "
            f"people) with tabs between, but is {line!r}"
        )
    return pair


def _whole_number(text: str) -> int | None:
    """Return the number from 1 that the text spells, or None."""
    return int(text) if is_number(text) and int(text) > 0 else None
