"""One way to open any verification set: by what is there, the reader is chosen."""

import os
from collections.abc import Sequence

from xcos_tf.evaluation.verification_set import VerificationSet


def open_set(
    path: str | os.PathLike,
    pairs: str | os.PathLike | None = None,
    *,
    aligned: bool = False,
    draw: tuple[int, int] | None = None,
    seed: int = 0,
    select: Sequence[str] = (),
) -> VerificationSet:
    """Open a test set, whatever it is stored as.

    - A file NAME.bin: one of InsightFace's sets; its faces are aligned.
    - A folder and a list of pairs: LFW's `pairs.txt`, a table of pairs in either form that
      `read_pairs_csv` knows, or YouTube Faces' `splits.txt`; the list's first line tells which.
    - A folder without a list, and `draw`: people, of whose photos pairs are drawn.

    Args:
        path: of the file, or of the folder of photos or frames.
        pairs: the list of pairs.
        aligned: whether a folder holds aligned faces, as `xcos align` writes them.
        draw: numbers of genuine and of impostor pairs to draw.
        seed: of that draw.
        select: with `draw`, tags such as "scarf", one of which a photo must have; see `people_set`.

    Returns:
        The set. Where photos without a face may be left out (videos, folders of people) they have
        been aligned by now; of a list's raw photos each must show a face when it is scored.

    Raises:
        XcosError: these do not go together, there is nothing there, or the set is malformed.
    """
    raise NotImplementedError
