"""One way to open any verification set: by what is there, the reader is chosen."""

import os
from collections.abc import Sequence
from pathlib import Path

from xcos_tf.errors import XcosError, shown
from xcos_tf.evaluation.bin_set import bin_set
from xcos_tf.evaluation.list_set import list_set
from xcos_tf.evaluation.pair_list import read_lines
from xcos_tf.evaluation.people_set import people_set
from xcos_tf.evaluation.verification_set import VerificationSet
from xcos_tf.evaluation.ytf import is_splits_line, ytf_set


def open_set(
    path: str | os.PathLike,
    pairs: str | os.PathLike | None = None,
    *,
    aligned: bool = False,
    draw: tuple[int, int] | None = None,
    seed: int = 0,
    select: Sequence[str] = (),
    columns: Sequence[str] | None = None,
    skip_faceless: bool = False,
) -> VerificationSet:
    """Open a test set, whatever it is stored as.

    - A file NAME.bin: one of InsightFace's sets; its faces are aligned.
    - A folder and a list of pairs: LFW's `pairs.txt`, a table of pairs in any form that
      `read_pairs_csv` knows, or YouTube Faces' `splits.txt`; the list's first line tells which.
    - A folder without a list, and `draw`: people, of whose photos pairs are drawn.

    Args:
        path: of the file, or of the folder of photos or frames.
        pairs: the list of pairs.
        aligned: whether a folder holds aligned faces, as `xcos align` writes them.
        draw: numbers of genuine and of impostor pairs to draw.
        seed: of that draw.
        select: with `draw`, tags such as "scarf", one of which a photo must have; see `people_set`.
        columns: names of the columns of a table of pairs; see `read_pairs_csv`.
        skip_faceless: of a list's raw photos, leave out those without a face, with their pairs.

    Returns:
        The set. Where photos without a face may be left out (videos, folders of people) they have
        been aligned by now; of a list's raw photos each must show a face when it is scored.

    Raises:
        XcosError: these do not go together, there is nothing there, or the set is malformed.
    """
    path, select = Path(path), tuple(select)
    if not os.path.exists(path):
        raise XcosError(f"there is no {shown(path)}; give a folder of photos or a .bin file")
    if not os.path.isdir(path):
        return _open_file(path, pairs, draw, select, columns)
    if pairs is not None and draw is not None:
        raise XcosError("give either a list of pairs or numbers of pairs to draw, not both")
    if draw is not None:
        return people_set(path, *draw, seed=seed, select=select, aligned=aligned)
    if select:
        raise XcosError("tags select photos to draw pairs of; say how many pairs to draw")
    if pairs is None:
        raise XcosError(
            f"{path} is a folder; give a list of pairs of its photos too, or say how many genuine "
            "and impostor pairs to draw"
        )
    # The first line may be headings.
    if columns is None and any(is_splits_line(line) for _, line in read_lines(Path(pairs))[:2]):
        return ytf_set(path, pairs, aligned)
    return list_set(path, pairs, aligned, columns, skip_faceless)


def _open_file(path: Path, pairs, draw, select, columns) -> VerificationSet:
    if path.suffix.lower() != ".bin":
        raise XcosError(
            f"{path} is neither a folder nor a .bin file; give the folder of the photos first and "
            "then the list"
        )
    if pairs is not None or draw is not None or select or columns:
        raise XcosError(
            f"{path} holds its own pairs; leave out the list, its columns, the numbers to draw and "
            "the tags"
        )
    return bin_set(path)
