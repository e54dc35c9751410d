"""The lists of pairs that go round: LFW's `pairs.txt`, and tables of several forms."""

import csv
import io
import os
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xcos_tf.errors import XcosError, reason_of, shown
from xcos_tf.evaluation.pairs import (
    ListedPair,
    PairSet,
    check_photo_folder,
    collect_pairs,
    is_number,
    name_within,
    read_lines,
    read_text,
)
from xcos_tf.evaluation.photo_finder import PhotoFinder
from xcos_tf.files import write_csv
from xcos_tf.metrics.rates import dealt

HEADING = ("first", "second", "same")
WITH_FOLDS = (*HEADING, "fold")
LFW_HEADING = ("name", "imagenum1", "imagenum2")
DEEPFACE = ("file_x", "file_y", "decision")

_TRUTH = {"1": True, "true": True, "0": False, "false": False}
_WORDS = {**_TRUTH, "yes": True, "no": False, "1.0": True, "0.0": False}
_DELIMITERS = ",;\t"


class _Form(NamedTuple):
    """Where in a table's row the two photos, the truth and perhaps the fold are, how the truth is
    written, how many columns there are if that is fixed, and an example's heading and truth."""

    places: tuple[int, ...]
    truth: dict[str, bool]
    width: int | None
    told: str
    example: str


def read_lfw_pairs(pairs_file: str | os.PathLike, folder: str | os.PathLike) -> PairSet:
    """Read a list in the format of LFW's `pairs.txt`.

    The first line holds the number of folds F and of genuine pairs in each, n. F times 2·n lines
    follow, whose columns are separated by tabs: `name i j` is a genuine pair, `name i name j` an
    impostor pair. Photo 1 of Some_Name is `Some_Name/Some_Name_0001.jpg` in the folder, or
    what `PhotoFinder` takes for it. Format: Huang et al., "Labeled Faces in the Wild", TR 07-49,
    UMass Amherst, 2007.

    Raises:
        XcosError: list or folder cannot be read, the list is empty or of one kind only, a line is
            malformed, names a photo that is not in the folder, or a pair that another line has or
            of a photo and itself; or there are not as many pairs as promised.
    """
    source, folder = Path(pairs_file), check_photo_folder(folder)
    (number, header), *lines = read_lines(source)
    counts = [_from_1(word) for word in header.split()]
    if len(counts) != 2 or None in counts:
        raise XcosError(
            f"line {number} of {source} must hold the number of folds and of genuine pairs in "
            f"each, as in `10 300`, but is {header!r}"
        )
    folds, each = counts
    if len(lines) != folds * 2 * each:
        raise XcosError(
            f"{source} promises {folds} × 2 × {each} = {folds * 2 * each} pairs in its first line, "
            f"but holds {len(lines)}; get the file again"
        )
    # Copies of the file are about that have spaces for tabs; LFW's names hold neither.
    rows = [(i, (x.split("\t") if "\t" in x else x.split()), x) for i, x in lines]
    told = "`name i j` (one person) or `name i name j` (two people) with tabs between"
    listed = _unrepeated(source, _read_lfw(source, folder, rows, told))
    return collect_pairs(source, listed, np.arange(len(listed), dtype=np.int64) // (2 * each))


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
        columns: the names of the columns of the first photo, the second, the truth and, if there is
            one, the fold.

    Returns:
        The pairs, and sentences for the report on what was chosen in reading them.

    Raises:
        XcosError: as by `read_lfw_pairs`, it is none of these tables, a column is not there, or a
            path leads out of the folder.
    """
    source, folder = Path(csv_file), check_photo_folder(folder)
    rows = _read_rows(source)
    titles, rows = rows[0][1] if rows else list(HEADING), rows[1:]
    heading, fold = _heading(titles), None
    form = _form(heading) if columns is None else _named(titles, columns, source)
    if form is not None:
        listed, fold = _read_paths(source, folder, rows, form)
    elif heading == LFW_HEADING:
        told = "`name,i,j,` (one person) or `name,i,name,j` (two people)"
        listed = _read_lfw(source, folder, rows, told)
    else:
        _, line = read_lines(source)[0]
        raise XcosError(
            f"the first line of {source}, {line!r}, begins none of the lists that can be read: "
            "LFW's pairs.txt (`10 300`), tables (`first,second,same`, `first,second,same,fold`, "
            "`name,imagenum1,imagenum2,` or `file_x,file_y,Decision`, or others whose columns are "
            "named) and YouTube Faces' splits.txt"
        )
    if not listed:
        raise XcosError(f"{source} holds no pairs; give a list with a pair in each line")
    pairs = collect_pairs(source, _unrepeated(source, listed), fold)
    return pairs, [dealt(pairs.fold)] if fold is None else []


def read_photo_pairs(csv_file: str | os.PathLike) -> list[tuple[str, str]]:
    """Read pairs of photos, of which nobody need know whether they show one person.

    They are the columns `first` and `second`, or `file_x` and `file_y`, of a table as that of
    `read_pairs_csv`; other columns are passed over, and a pair may be there more than once.

    Returns:
        Two paths of each, as they stand there.

    Raises:
        XcosError: the table cannot be read, has no such columns, or a row has no photo in one.
    """
    source = Path(csv_file)
    (_, titles, _), *rows = _read_rows(source) or [(1, [], "")]
    heading = _heading(titles)
    names = next((x for x in (HEADING[:2], DEEPFACE[:2]) if set(x) <= set(heading)), None)
    if names is None or not rows:
        raise XcosError(
            f"{source} must begin with a line that names the columns `first,second`, or "
            "`file_x,file_y`, and hold a pair of photos in each line after it"
        )
    pairs, places = [], [heading.index(name) for name in names]
    for line, row, text in rows:
        if len(row) <= max(places) or not all(row[i] for i in places):
            raise XcosError(f"line {line} of {source} must name two photos, but is {shown(text)!r}")
        pairs.append(tuple(row[i] for i in places))
    return pairs


def write_pairs_csv(path: str | os.PathLike, pairs: PairSet) -> None:
    """Write pairs with their folds as a table that `read_pairs_csv` reads.

    Raises XcosError if the file cannot be written; what was there before is then as it was.
    """
    ends = zip(pairs.first, pairs.second, pairs.same, pairs.fold, strict=True)
    rows = ((pairs.photos[a], pairs.photos[b], int(same), fold) for a, b, same, fold in ends)
    write_csv(Path(path), WITH_FOLDS, rows)


def _read_rows(source: Path) -> list[tuple[int, list[str], str]]:
    """Return (line number from 1, columns without blanks around them, both as a text) of rows that
    hold any."""
    text = read_text(source)
    first = next((line for line in text.splitlines() if line.strip()), "")
    delimiter = max(_DELIMITERS, key=first.count)  # the first of equals, which is the comma
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    rows = []
    try:
        for row in reader:
            columns = [column.strip() for column in row]
            if any(columns):
                rows.append((reader.line_num, columns, ",".join(columns)))
    except csv.Error as error:
        raise XcosError(
            f"line {reader.line_num} of {source} is no row of a table ({reason_of(error)}); get "
            "the file again"
        ) from None
    return rows


def _heading(titles: Sequence[str]) -> tuple[str, ...]:
    return tuple(_trimmed(title.lower() for title in titles))


def _trimmed(columns: Iterable[str]) -> list[str]:
    """Return columns without blanks around them, and without the last ones if they are empty."""
    columns = [column.strip() for column in columns]
    while columns and not columns[-1]:
        columns.pop()
    return columns


def _form(heading: tuple[str, ...]) -> _Form | None:
    """Return the form of a table of paths that has this heading, if it is one that we know."""
    if heading in (HEADING, WITH_FOLDS):
        return _Form(tuple(range(len(heading))), _TRUTH, len(heading), ",".join(heading), "0")
    if set(DEEPFACE) <= set(heading):
        places = tuple(map(heading.index, DEEPFACE))
        return _Form(places, _WORDS, None, "file_x,file_y,Decision", "No")
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
    return _Form(places, _WORDS, None, ",".join(columns), "no")


def _read_paths(
    source: Path, folder: Path, rows, form: _Form
) -> tuple[list[ListedPair], np.ndarray | None]:
    listed, numbers, find = [], [], cache(PhotoFinder(folder).by_name)
    for line, row, text in rows:
        fits = len(row) > max(form.places) and form.width in (None, len(row))
        first, second, truth, *fold = [row[place] for place in form.places] if fits else [""] * 3
        same = form.truth.get(truth.lower())
        if same is None or not all(map(is_number, fold)):
            example = f"a/1.jpg,b/2.jpg,{form.example}" + ",3" * (len(form.places) == 4)
            raise XcosError(
                f"line {line} of {source} must be `{form.told}`, as in `{example}`, but is {text!r}"
            )
        found = []
        for name in (first, second):
            name = name_within(name, source, line)
            found.append(find(name))
            if found[-1] is None:
                raise XcosError(
                    f"the photo {shown(name)} of line {line} of {source} is not in {folder}; "
                    "give the folder that the list's paths are relative to"
                )
        listed.append(ListedPair(line, *found, same))
        numbers += map(int, fold)
    return listed, np.array(numbers) if len(form.places) == len(WITH_FOLDS) else None


def _read_lfw(source: Path, folder: Path, rows, told: str) -> list[ListedPair]:
    """Return the pairs of rows `name i j` and `name i name j`."""
    finder, listed = PhotoFinder(folder), []

    def find(name: str, photo: int, line: int) -> str:
        stem = name_within(f"{name}/{name}_{photo:04d}", source, line)
        if found := finder.by_stem(stem):
            return found
        raise XcosError(
            f"the photo {shown(stem)}.jpg of line {line} of {source} is not in {folder}; give the "
            "folder that holds one folder for each person, with all their photos"
        )

    for line, columns, text in rows:
        columns = _trimmed(columns)
        if same := len(columns) == 3:
            columns.insert(2, columns[0])
        name, first, other, second = columns if len(columns) == 4 else [""] * 4
        numbers = _from_1(first), _from_1(second)
        if None in numbers or not name or not other or (name == other) != same:
            raise XcosError(f"line {line} of {source} must be {told}, but is {text!r}")
        ends = find(name, numbers[0], line), find(other, numbers[1], line)
        listed.append(ListedPair(line, *ends, same))
    return listed


def _from_1(text: str) -> int | None:
    """Return the number from 1 that the text spells, or None."""
    return int(text) if is_number(text) and int(text) > 0 else None


def _unrepeated(source: Path, listed: list[ListedPair]) -> list[ListedPair]:
    """Return pairs; raise XcosError, with line numbers, if one is repeated or is of one photo.

    A pair whose faces are swapped is the same.
    """
    lines = {}
    for pair in listed:
        if pair.first == pair.second:
            raise XcosError(
                f"line {pair.line} of {source} compares {shown(pair.first)} with itself; take it "
                "out"
            )
        before = lines.setdefault(frozenset((pair.first, pair.second)), pair.line)
        if before != pair.line:
            raise XcosError(
                f"lines {before} and {pair.line} of {source} hold the same pair, "
                f"{shown(pair.first)} and {shown(pair.second)}; take one of them out"
            )
    return listed
