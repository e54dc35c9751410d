"""Lists of face pairs to test on; today the `pairs.txt` of Labeled Faces in the Wild."""

import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xcos_tf.errors import XcosError

PHOTO_SUFFIXES = (".jpg", ".jpeg", ".png")


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
    impostor pair. Photo 1 of Some_Name is `Some_Name/Some_Name_0001.jpg` (or .jpeg, .png) in the
    folder. Format: Huang et al., "Labeled Faces in the Wild", TR 07-49, UMass Amherst, 2007.

    Args:
        pairs_file: the list.
        folder: of the photos, with a folder for each person.

    Raises:
        XcosError: either does not exist or cannot be read, the list is empty, a line is malformed,
            there are not as many pairs as promised, or a photo is missing.
    """
    source, folder = Path(pairs_file), Path(folder)
    lines = _read_lines(source)
    if not folder.is_dir():
        raise XcosError(f"there is no folder {folder}; give the folder that holds the photos")
    folds, each = _parse_header(source, *lines[0])
    if len(lines) - 1 != folds * 2 * each:
        raise XcosError(
            f"{source} promises {folds} × 2 × {each} = {folds * 2 * each} pairs in its first line, "
            f"but holds {len(lines) - 1}; get the file again"
        )
    positions, ends, same = {}, [], []
    for number, line in lines[1:]:
        people, is_same = _parse_pair(source, number, line)
        for person in people:
            if person not in positions:
                positions[person] = (len(positions), _find_photo(folder, *person, source, number))
        ends.append([positions[person][0] for person in people])
        same.append(is_same)
    ends = np.array(ends, np.int64)
    return PairSet(
        photos=[photo for _, photo in positions.values()],
        first=ends[:, 0],
        second=ends[:, 1],
        same=np.array(same, bool),
        fold=np.arange(len(ends), dtype=np.int64) // (2 * each),
    )


def _read_lines(source: Path) -> list[tuple[int, str]]:
    """Return (line number from 1, line) of the lines that are not blank; at least two."""
    try:
        text = source.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise XcosError(f"there is no list of pairs {source}; give the path of pairs.txt") from None
    except (OSError, UnicodeDecodeError) as error:
        raise XcosError(f"{source} cannot be read as a list of pairs ({error})") from None
    lines = [
        (number, line.strip())
        for number, line in enumerate(text.split("\n"), start=1)
        if line.strip()
    ]
    if len(lines) < 2:
        raise XcosError(f"{source} holds no pairs; give LFW's pairs.txt or a list like it")
    return lines


def _parse_header(source: Path, number: int, line: str) -> tuple[int, int]:
    counts = [_whole_number(word) for word in line.split()]
    if len(counts) != 2 or None in counts:
        raise XcosError(
            f"line {number} of {source} must hold the number of folds and of genuine pairs in "
            f"each, as in `10 300`, but is {line!r}"
        )
    return counts[0], counts[1]


def _parse_pair(source: Path, number: int, line: str):
    """Return (((name, photo number), (name, photo number)), same)."""
    # Copies of the file are about that have spaces for tabs; LFW's names hold neither.
    columns = [column.strip() for column in (line.split("\t") if "\t" in line else line.split())]
    if len(columns) == 3:
        columns = [columns[0], columns[1], columns[0], columns[2]]
        same = True
    elif len(columns) == 4 and columns[0] != columns[2]:
        same = False
    else:
        columns = []
    numbers = [_whole_number(column) for column in columns[1::2]]
    if not columns or None in numbers or not columns[0] or not columns[2]:
        raise XcosError(
            f"line {number} of {source} must be `name i j` (one person) or `name i name j` (two "
            f"people) with tabs between, but is {line!r}"
        )
    return ((columns[0], numbers[0]), (columns[2], numbers[1])), same


def _whole_number(text: str) -> int | None:
    """Return the number from 1 that the text spells, or None."""
    return int(text) if text.isascii() and text.isdigit() and int(text) > 0 else None


def _find_photo(folder: Path, name: str, photo: int, source: Path, number: int) -> str:
    stem = f"{name}/{name}_{photo:04d}"
    for suffix in PHOTO_SUFFIXES:
        if (folder / (stem + suffix)).is_file():
            return stem + suffix
    raise XcosError(
        f"the photo {stem}.jpg of line {number} of {source} is not in {folder}; give the folder "
        "that holds one folder for each person, with all their photos"
    )
