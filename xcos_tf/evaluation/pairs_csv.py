"""Lists of pairs as tables: our own form, and the one in which LFW's goes round."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.folds import dealt
from xcos_tf.evaluation.pair_list import (
    ListedPair,
    check_photo_folder,
    name_within,
    read_text,
    refuse_repeats,
)
from xcos_tf.evaluation.pairs import LfwPhotos, PairSet, collect_pairs, parse_lfw_columns
from xcos_tf.files import write_csv

HEADING = ("first", "second", "same")
WITH_FOLDS = (*HEADING, "fold")
LFW_HEADING = ("name", "imagenum1", "imagenum2")

_TRUTH = {"1": True, "true": True, "0": False, "false": False}


def is_pairs_heading(line: str) -> bool:
    """Return whether this is the first line of a table that `read_pairs_csv` reads."""
    return _heading(line.split(",")) in (HEADING, WITH_FOLDS, LFW_HEADING)


def read_pairs_csv(
    csv_file: str | os.PathLike, folder: str | os.PathLike
) -> tuple[PairSet, list[str]]:
    """Read a table of pairs, comma-separated, UTF-8, in one of two forms.

    - `first,second,same` or `first,second,same,fold`: two paths relative to the folder, with "/";
      1 or true for one person, 0 or false for two; and a whole number, of which each stands for a
      fold.
    - `name,imagenum1,imagenum2,`: rows `Name,1,4,` (one person) and `Name,1,Other,2` (two people),
      whose photos are found as by `read_lfw_pairs`. This is how LFW's list goes round as CSV.

    Where a list has no folds, `deal_folds` makes them.

    Args:
        csv_file: the list.
        folder: of the photos.

    Returns:
        The pairs, and sentences for the report on what was chosen in reading them.

    Raises:
        XcosError: either does not exist or cannot be read, the list is empty or of one kind only, a
            line is malformed, leads out of the folder, names a photo that is not there, or a pair
            that another line has or of a photo and itself.
    """
    source, folder = Path(csv_file), check_photo_folder(folder)
    rows = _read_rows(source)
    heading, rows = _heading(rows[0][1]) if rows else HEADING, rows[1:]
    if heading == LFW_HEADING:
        listed, fold = _read_lfw(source, folder, rows), None
    elif heading in (HEADING, WITH_FOLDS):
        listed, fold = _read_paths(source, folder, rows, heading == WITH_FOLDS)
    else:
        raise XcosError(
            f"the first line of {source} must be `{','.join(HEADING)}`, with or without `,fold`, "
            f"or `{','.join(LFW_HEADING)},`"
        )
    if not listed:
        raise XcosError(f"{source} holds no pairs; give a list with a pair in each line")
    refuse_repeats(source, listed)
    pairs = collect_pairs(source, listed, fold)
    return pairs, [dealt(pairs.fold)] if fold is None else []


def write_pairs_csv(path: str | os.PathLike, pairs: PairSet) -> None:
    """Write pairs with their folds as a table that `read_pairs_csv` reads.

    Raises:
        XcosError: the file cannot be written; what was there before is as it was.
    """
    ends = zip(pairs.first, pairs.second, pairs.same, pairs.fold, strict=True)
    rows = ((pairs.photos[a], pairs.photos[b], int(same), fold) for a, b, same, fold in ends)
    try:
        write_csv(Path(path), WITH_FOLDS, rows)
    except OSError as error:
        raise XcosError(
            f"{path} cannot be written ({error.strerror or error}); choose another place"
        ) from None


def _heading(columns: Sequence[str]) -> tuple[str, ...]:
    names = [column.strip().lower() for column in columns]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _read_rows(source: Path) -> list[tuple[int, list[str]]]:
    """Return (line number from 1, columns without blanks around them) of rows that hold any."""
    reader = csv.reader(io.StringIO(read_text(source), newline=""))
    rows = []
    try:
        for row in reader:
            columns = [column.strip() for column in row]
            if any(columns):
                rows.append((reader.line_num, columns))
    except csv.Error as error:
        raise XcosError(
            f"line {reader.line_num} of {source} is no row of a table ({error}); get the file again"
        ) from None
    return rows


def _read_lfw(source: Path, folder: Path, rows) -> list[ListedPair]:
    photos, listed = LfwPhotos(folder, source), []
    for line, columns in rows:
        while columns and not columns[-1]:
            columns.pop()
        pair = parse_lfw_columns(columns, photos, line)
        if pair is None:
            raise XcosError(
                f"line {line} of {source} must be `name,i,j,` (one person) or `name,i,name,j` (two "
                f"people), but is {','.join(columns)!r}"
            )
        listed.append(pair)
    return listed


def _read_paths(
    source: Path, folder: Path, rows, with_folds: bool
) -> tuple[list[ListedPair], np.ndarray | None]:
    listed, numbers, present = [], [], set()
    heading = WITH_FOLDS if with_folds else HEADING
    for line, columns in rows:
        fits = len(columns) == len(heading) and columns[2].lower() in _TRUTH
        if not fits or (with_folds and not _is_number(columns[3])):
            raise XcosError(
                f"line {line} of {source} must be `{','.join(heading)}`, as in "
                f"`a/1.jpg,b/2.jpg,0{',3' * with_folds}`, but is {','.join(columns)!r}"
            )
        names = [name_within(name, source, line) for name in columns[:2]]
        for name in names:
            if name not in present and not (folder / name).is_file():
                raise XcosError(
                    f"the photo {name} of line {line} of {source} is not in {folder}; give the "
                    "folder that the list's paths are relative to"
                )
            present.add(name)
        listed.append(ListedPair(line, *names, _TRUTH[columns[2].lower()]))
        numbers.append(int(columns[3]) if with_folds else 0)
    if not with_folds:
        return listed, None
    return listed, np.array(numbers)


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10
