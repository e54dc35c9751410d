"""A folder of photos and a list of pairs of them, as a verification set."""

import os
from pathlib import Path

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.build_set import build_set
from xcos_tf.evaluation.pair_list import check_photo_folder, read_lines
from xcos_tf.evaluation.pairs import read_lfw_pairs
from xcos_tf.evaluation.pairs_csv import is_pairs_heading, read_pairs_csv
from xcos_tf.evaluation.photos import FolderPhotos
from xcos_tf.evaluation.verification_set import VerificationSet


def list_set(
    folder: str | os.PathLike, pairs: str | os.PathLike, aligned: bool = False
) -> VerificationSet:
    """Open a folder and a list, LFW's `pairs.txt` or a table that `read_pairs_csv` reads.

    Every photo of a list counts: one that cannot be decoded, or shows no face, is an error that
    names it when the set is scored.

    Args:
        folder: of the photos.
        pairs: the list.
        aligned: whether the photos are aligned faces.

    Raises:
        XcosError: as by `read_lfw_pairs` or `read_pairs_csv`, or the list is neither.
    """
    folder, notes = check_photo_folder(folder), []
    _, heading = read_lines(Path(pairs))[0]
    if is_pairs_heading(heading):
        pair_set, notes = read_pairs_csv(pairs, folder)
    elif heading[0].isdigit() and "," not in heading:
        pair_set = read_lfw_pairs(pairs, folder)
    else:
        raise XcosError(
            f"the first line of {pairs}, {heading!r}, begins none of the lists that can be read: "
            "LFW's pairs.txt (`10 300`), tables (`first,second,same`, `first,second,same,fold` or "
            "`name,imagenum1,imagenum2,`) and YouTube Faces' splits.txt"
        )
    photos = FolderPhotos(folder, pair_set.photos)
    return build_set(
        folder.resolve().name, photos, pair_set, photos.digest, aligned=aligned, notes=notes
    )
