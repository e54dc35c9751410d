"""Lists of pairs as tables: our own form, and the one in which LFW's goes round."""

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xcos_tf.errors import XcosError, reason_of, shown
from xcos_tf.evaluation.pair_list import (
    ListedPair,
    check_photo_folder,
    is_number,
    name_within,
    read_text,
    refuse_repeats,
)
from xcos_tf.evaluation.pairs import LfwPhotos, PairSet, collect_pairs, parse_lfw_columns
from xcos_tf.evaluation.photo_finder import PhotoFinder
from xcos_tf.files import write_csv
from xcos_tf.metrics.folds import dealt

HEADING = ("first", "second", "same")
WITH_FOLDS = (*HEADING, "fold")
LFW_HEADING = ("name", "imagenum1", "imagenum2")
DEEPFACE = ("file_x", "file_y", "decision")

_TRUTH = {"1": True, "true": True, "0": False, "false": False}
_WORDS = {**_TRUTH, "yes": True, "no": False, "1.0": True, "0.0": False}
_DELIMITERS = ",;\t"


class _Form(NamedTuple):
    """Where in a row the two photos, the truth and perhaps the fold are, and how it is written."""

    places: tuple[int, ...]
    truth: dict[str, bool]
    width: int | None
    told: str
    example: str


def is_pairs_heading(line: str) -> bool:
    """Return whether this is the first line of a table that `read_pairs_csv` reads by itself."""
    heading = _heading(_split(line))
    return heading == LFW_HEADING or _form(heading) is not None


def read_pairs_csv(
    csv_file: str | os.PathLike,
    folder: str | os.PathLike,
    columns: Sequence[str] | None = None,
) -> tuple[PairSet, list[str]]:
    """Read a table of pairs, UTF-8, with commas, semicolons or tabs between, in one of the forms:

    - `first,second,same` or `first,second,same,fold`: two paths relative to the folder, with "/";
      1 or true for one person, 0 or false for two; and a whole number, of which each stands for a
      fold.
    - `name,imagenum1,imagenum2,`: rows `Name,1,4,` (one person) and `Name,1,Other,2` (two people),
      whose photos are found as by `read_lfw_pairs`. This is how LFW's list goes round as CSV.
    - `file_x,file_y,Decision`, among other columns or alone: two paths, and Yes or No. DeepFace's
      lists are such tables.
    - any other whose columns are named: two paths, the truth as yes or no, true or false, 1 or 0,
      and perhaps the fold.

    Where a list has no folds, `deal_folds` makes them. Paths are what `PhotoFinder` takes for them.

    Args:
        csv_file: the list.
        folder: of the photos.
        columns: the names of the columns of the first photo, the second, the truth and, if there is
            one, the fold.

    Returns:
        The pairs, and sentences for the report on what was chosen in reading them.

    Raises:
        XcosError: either does not exist or cannot be read, the list is empty or of one kind only, a
            column is not there, a line is malformed, leads out of the folder, names a photo that is
            not there, or a pair that another line has or of a photo and itself.
    """
    source, folder = Path(csv_file), check_photo_folder(folder)
    rows = _read_rows(source)
    titles, rows = rows[0][1] if rows else list(HEADING), rows[1:]
    heading = _heading(titles)
    form = _form(heading) if columns is None else _named(titles, columns, source)
    if form is not None:
        listed, fold = _read_paths(source, folder, rows, form)
    elif heading == LFW_HEADING:
        listed, fold = _read_lfw(source, folder, rows), None
    else:
        raise XcosError(
            f"the first line of {source} must be `{','.join(HEADING)}`, with or without `,fold`, "
            f"`{','.join(LFW_HEADING)},` or `file_x,file_y,Decision`; or name its columns"
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


def _form(heading: tuple[str, ...]) -> _Form | None:
    """Return the form of a table of paths that has this heading, if it is one that we know."""
    if heading in (HEADING, WITH_FOLDS):
        width = len(heading)
        example = f"a/1.jpg,b/2.jpg,0{',3' * (width == len(WITH_FOLDS))}"
        return _Form(tuple(range(width)), _TRUTH, width, ",".join(heading), example)
    if set(DEEPFACE) <= set(heading):
        places = tuple(map(heading.index, DEEPFACE))
        return _Form(places, _WORDS, None, "file_x,file_y,Decision", "a/1.jpg,b/2.jpg,No")
    return None


def _named(titles: list[str], columns: Sequence[str], source: Path) -> _Form:
    """Return the form of a table whose columns are named."""
    if len(columns) not in (3, 4) or len(set(columns)) != len(columns):
        raise XcosError(
            f"{len(columns)} columns are named ({shown(', '.join(columns))}); name three, of the "
            "first photo, the second, whether they show one person, and perhaps that of the fold"
        )
    known = {name.lower(): place for place, name in reversed(list(enumerate(titles)))}
    if missing := [name for name in columns if name.strip().lower() not in known]:
        raise XcosError(
            f"{source} has no column {missing[0]!r} in its first line; it has "
            + shown(", ".join(titles))
        )
    places = tuple(known[name.strip().lower()] for name in columns)
    told, example = ",".join(columns), f"a/1.jpg,b/2.jpg,no{',3' * (len(columns) == 4)}"
    return _Form(places, _WORDS, None, told, example)


def _heading(columns: Sequence[str]) -> tuple[str, ...]:
    names = [column.strip().lower() for column in columns]
    while names and not names[-1]:
        names.pop()
    return tuple(names)


def _split(line: str) -> list[str]:
    """Return the columns of a table's first line."""
    try:
        return next(csv.reader([line], delimiter=_delimiter(line)), [])
    except csv.Error:
        return []


def _delimiter(line: str) -> str:
    return max(_DELIMITERS, key=line.count)  # the first of equals, which is the comma


def _read_rows(source: Path) -> list[tuple[int, list[str]]]:
    """Return (line number from 1, columns without blanks around them) of rows that hold any."""
    text = read_text(source)
    first = next((line for line in text.splitlines() if line.strip()), "")
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=_delimiter(first))
    rows = []
    try:
        for row in reader:
            columns = [column.strip() for column in row]
            if any(columns):
                rows.append((reader.line_num, columns))
    except csv.Error as error:
        raise XcosError(
            f"line {reader.line_num} of {source} is no row of a table "
            f"({reason_of(error)}); get the file again"
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
    source: Path, folder: Path, rows, form: _Form
) -> tuple[list[ListedPair], np.ndarray | None]:
    listed, numbers, finder, found = [], [], PhotoFinder(folder), {}
    for line, row in rows:
        fits = len(row) > max(form.places) and form.width in (None, len(row))
        first, second, truth, *fold = [row[place] for place in form.places] if fits else [""] * 3
        same = form.truth.get(truth.lower())
        if same is None or not all(map(is_number, fold)):
            raise XcosError(
                f"line {line} of {source} must be `{form.told}`, as in `{form.example}`, but is "
                f"{','.join(row)!r}"
            )
        names = [name_within(name, source, line) for name in (first, second)]
        for name in names:
            if name not in found:
                found[name] = finder.by_name(name)
            if found[name] is None:
                raise XcosError(
                    f"the photo {shown(name)} of line {line} of {source} is not in {folder}; "
                    "give the folder that the list's paths are relative to"
                )
        listed.append(ListedPair(line, found[names[0]], found[names[1]], same))
        numbers += map(int, fold)
    return listed, np.array(numbers) if len(form.places) == len(WITH_FOLDS) else None
