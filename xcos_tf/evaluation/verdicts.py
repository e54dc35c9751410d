"""Verdicts on many pairs of photos, each face embedded once, in a table that goes on growing."""

import csv
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from xcos_tf.data.aligner import FaceAligner, align_each
from xcos_tf.errors import XcosError, explained, shown
from xcos_tf.files import whole_rows, write_csv
from xcos_tf.progress import Bar
from xcos_tf.templates import Template
from xcos_tf.verifier import Verifier

DECIDES = ("preset", "attention", "threshold")
COLUMNS = ("first", "second", "same", "score", *DECIDES, "sentence", "error")
"""Of the table: `same` is 1 or 0, and `error` says why there is no verdict, if so."""

AT_ONCE = 32
"""Pairs whose new faces are embedded together: what a kill at any moment may lose."""


def verify_listed(
    verifier: Verifier,
    pairs: Sequence[tuple[str, str]],
    folder: Path,
    out: Path,
    attention: str,
    threshold: float,
    aligner: FaceAligner | None,
) -> list[list[str]]:
    """Write a row for each pair, in order; rows that are there already are left as they are.

    Args:
        verifier: that compares.
        pairs: photos of each, as paths from the folder.
        folder: of the photos.
        out: CSV with `COLUMNS`, UTF-8.
        attention, threshold: by which it is decided.
        aligner: None for photos that are aligned faces.

    Returns:
        All rows, as texts.

    Raises:
        XcosError: the file holds something else, or cannot be written.
    """
    by = verifier.config["name"], attention, f"{threshold:.6f}"
    rows = _begun(out, [(*pair, *by) for pair in pairs])
    write_csv(out, COLUMNS, rows)  # without what a kill cut short
    known: dict[str, Template | str] = {}
    with (
        explained(f"{shown(str(out))} cannot be written", "make room or choose another place"),
        open(out, "a", newline="", encoding="utf-8", errors="surrogateescape") as stream,
        Bar(total=len(pairs), initial=len(rows), desc="verifying", unit="pair") as bar,
    ):
        for start in range(len(rows), len(pairs), AT_ONCE):
            some = pairs[start : start + AT_ONCE]
            _embed(
                verifier, dict.fromkeys(x for pair in some for x in pair), folder, aligner, known
            )
            new = [_row(verifier, pair, [known[x] for x in pair], by, threshold) for pair in some]
            csv.writer(stream).writerows(new)
            stream.flush()
            rows += new
            bar.update(len(some))
    return rows


def _begun(out: Path, asked: Sequence[tuple[str, ...]]) -> list[list[str]]:
    """Return the rows that an earlier run wrote whole, which must be of what is asked for."""
    if not out.exists():
        return []
    heading, rows = (), []
    with suppress(csv.Error):
        heading, *rows = list(whole_rows(out)) or [()]
    places = [COLUMNS.index(name) for name in ("first", "second", *DECIDES)]
    found = [tuple(row[i] for i in places) for row in rows if len(row) == len(COLUMNS)]
    if tuple(heading) != COLUMNS or len(found) < len(rows) or found != asked[: len(found)]:
        raise XcosError(
            f"{shown(str(out))} does not hold results of these pairs by the same preset, attention "
            "and threshold; name another file, or delete it"
        )
    return rows


def _embed(verifier, names: Iterable[str], folder: Path, aligner, known) -> None:
    """Make known the templates of photos, or why there are none."""
    new = [name for name in names if name not in known]
    found = [face for _, face in align_each([folder / name for name in new], aligner)]
    known.update(zip(new, found, strict=True))
    faces = {name: x for name, x in zip(new, found, strict=True) if not isinstance(x, str)}
    features = verifier.embed(np.array([face.image for face in faces.values()]))
    # The faces themselves would take six times as much memory.
    known.update({name: Template(x, None) for name, x in zip(faces, features, strict=True)})


def _row(verifier, pair, ends, by: tuple[str, ...], threshold: float) -> list[str]:
    if problems := [x for x in ends if isinstance(x, str)]:
        return [*pair, "", "", *by, "", problems[0]]
    result = verifier.verify(*ends, by[1], threshold=threshold)
    return [*pair, str(int(result.same)), f"{result.score:.6f}", *by, result.sentence, ""]
