"""A folder of photos and a list of pairs of them, as a verification set."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.evaluation.aligned_faces import align_photos
from xcos_tf.evaluation.pair_list import check_photo_folder, read_lines
from xcos_tf.evaluation.pairs import PairSet, pairs_of, read_lfw_pairs
from xcos_tf.evaluation.pairs_csv import is_pairs_heading, read_pairs_csv
from xcos_tf.evaluation.photos import DecodedPhotos, FolderPhotos
from xcos_tf.evaluation.verification_set import VerificationSet, build_set
from xcos_tf.wording import counted


def list_set(
    folder: str | os.PathLike,
    pairs: str | os.PathLike,
    aligned: bool = False,
    columns: Sequence[str] | None = None,
    skip_faceless: bool = False,
) -> VerificationSet:
    """Open a folder and a list, LFW's `pairs.txt` or a table that `read_pairs_csv` reads.

    Every photo of a list counts: those that cannot be decoded, or show no face, are an error that
    names them when the set is scored, unless they are to be skipped.

    Args:
        folder: of the photos.
        pairs: the list.
        aligned: whether the photos are aligned faces.
        columns: names of a table's columns; see `read_pairs_csv`.
        skip_faceless: align the photos now, which takes 38 kB of memory for each, and leave out and
            list those without a face, with their pairs.

    Raises:
        XcosError: as by `read_lfw_pairs` or `read_pairs_csv`, or the list is neither.
    """
    folder, notes = check_photo_folder(folder), []
    _, heading = read_lines(Path(pairs))[0]
    if columns is not None or is_pairs_heading(heading):
        pair_set, notes = read_pairs_csv(pairs, folder, columns)
    elif heading[0].isdigit() and "," not in heading:
        pair_set = read_lfw_pairs(pairs, folder)
    else:
        raise XcosError(
            f"the first line of {pairs}, {heading!r}, begins none of the lists that can be read: "
            "LFW's pairs.txt (`10 300`), tables (`first,second,same`, `first,second,same,fold`, "
            "`name,imagenum1,imagenum2,` or `file_x,file_y,Decision`, or others whose columns are "
            "named) and YouTube Faces' splits.txt"
        )
    if skip_faceless and not aligned:
        return _with_faces(folder, pair_set, notes)
    photos = FolderPhotos(folder, pair_set.photos)
    return build_set(
        folder.resolve().name, photos, pair_set, photos.digest, aligned=aligned, notes=notes
    )


def _with_faces(folder: Path, listed: PairSet, notes: Sequence[str]) -> VerificationSet:
    """Return the pairs of photos that both show a face."""
    found, skipped = align_photos(folder, listed.photos)
    has_face = np.isin(listed.photos, found.names)
    whole = has_face[listed.first] & has_face[listed.second]
    if not whole.any():
        raise XcosError(f"no pair of {folder} has two photos that show a face; give other photos")
    pairs, _ = pairs_of(
        listed.photos, *(x[whole] for x in (listed.first, listed.second, listed.same, listed.fold))
    )
    position = {name: i for i, name in enumerate(found.names)}
    faces = DecodedPhotos(pairs.photos, found.pixels[[position[name] for name in pairs.photos]])
    left_out = [
        f"Left out: {counted(len(skipped), 'photo')} that cannot be read or in which MTCNN "
        f"finds no face, and {counted(int(np.sum(~whole)), 'pair')} with one of them."
    ]
    return build_set(
        folder.resolve().name,
        faces,
        pairs,
        FolderPhotos(folder, pairs.photos).digest,
        aligned=True,
        aligned_here=True,
        skipped=skipped,
        notes=[*notes, *left_out * bool(skipped)],
    )
