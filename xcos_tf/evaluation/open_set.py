"""One way to open any verification set: by what is there, the reader is chosen."""

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.photo import read_photo
from xcos_tf.data.records.insightface_bin import BinSource
from xcos_tf.errors import XcosError, counted, shown
from xcos_tf.evaluation.aligned_faces import align_photos
from xcos_tf.evaluation.pair_lists import read_lfw_pairs, read_pairs_csv
from xcos_tf.evaluation.pairs import PairSet, check_photo_folder, pairs_of, read_lines, repeats
from xcos_tf.evaluation.people_set import people_set
from xcos_tf.evaluation.verification_set import (
    DecodedPhotos,
    EncodedPhotos,
    FolderPhotos,
    Skipped,
    VerificationSet,
    build_set,
)
from xcos_tf.evaluation.ytf import is_splits_line, ytf_set
from xcos_tf.metrics.rates import FOLDS, tenths
from xcos_tf.progress import Bar


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
        if path.suffix.lower() != ".bin":
            raise XcosError(
                f"{path} is neither a folder nor a .bin file; give the folder of the photos first "
                "and then the list"
            )
        if pairs is not None or draw is not None or select or columns:
            raise XcosError(
                f"{path} holds its own pairs; leave out the list, its columns, the numbers to draw "
                "and the tags"
            )
        return bin_set(path)
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


def list_set(
    folder: str | os.PathLike,
    pairs: str | os.PathLike,
    aligned: bool = False,
    columns: Sequence[str] | None = None,
    skip_faceless: bool = False,
) -> VerificationSet:
    """Open a folder and a list, LFW's `pairs.txt` or a table that `read_pairs_csv` reads.

    Every photo of a list counts: those that cannot be decoded, or show no face, are an error that
    names them when the set is scored, unless they are to be skipped. Then photos are aligned now,
    which takes 38 kB of memory for each. Arguments are as those of `open_set`.

    Raises:
        XcosError: as by `read_lfw_pairs` or `read_pairs_csv`.
    """
    folder, notes = check_photo_folder(folder), []
    _, heading = read_lines(Path(pairs))[0]
    if columns is None and heading[0].isdigit() and "," not in heading:
        pair_set = read_lfw_pairs(pairs, folder)
    else:
        pair_set, notes = read_pairs_csv(pairs, folder, columns)
    if skip_faceless and not aligned:
        return _with_faces(folder, pair_set, notes)
    photos = FolderPhotos(folder, pair_set.photos)
    name = folder.resolve().name
    return build_set(name, photos, pair_set, photos.digest, aligned=aligned, notes=notes)


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
        skipped=skipped,
        notes=[*notes, *left_out * bool(skipped)],
    )


def bin_set(path: str | os.PathLike) -> VerificationSet:
    """Open one of InsightFace's `.bin` files (LFW, AgeDB-30, CFP-FP, ...).

    Its faces are aligned and stay in memory, encoded. Its 10 folds are tenths of the list in its
    order, as InsightFace deals them. Pairs with an image that cannot be used are left out and
    listed; the others keep their folds. An image that is there several times, as in LFW's file,
    becomes one photo. Pairs that are there several times stay, as published, and are counted.

    Raises:
        XcosError: the file cannot be read, asks for something dangerous, does not hold two images
            for each truth value, or no pairs of both kinds are left.
    """
    source = BinSource(path)
    images = [record.image for record in source.read(0, len(source))]
    listed, problems = source.pairs, _problems(images)
    usable = np.array([image not in problems for image in images])
    kept = np.flatnonzero(usable[listed.first] & usable[listed.second])
    skipped = [
        Skipped(f"image {i} (pair {i // 2})", problems[images[i]]) for i in np.flatnonzero(~usable)
    ]
    if not len(kept):
        raise XcosError(
            f"none of the {counted(len(listed), 'pair')} of {path} can be used: "
            f"{skipped[0].name}, for example: {skipped[0].reason}"
        )
    # The first image of each content stands for all of them.
    first_of = {}
    stands_for = np.array([first_of.setdefault(image, i) for i, image in enumerate(images)])
    pairs, used = pairs_of(
        [f"image {i}" for i in range(len(images))],
        stands_for[listed.first[kept]],
        stands_for[listed.second[kept]],
        listed.same[kept],
        tenths(len(listed))[kept],
    )
    photos = EncodedPhotos(source.name, pairs.photos, [images[i] for i in used])
    left_out = [
        f"Pairs left out: {len(listed) - len(kept):,}, for {counted(len(skipped), 'image')} that "
        "cannot be used."
    ]
    return build_set(
        source.name,
        photos,
        pairs,
        lambda position: hashlib.sha256(photos.images[position]).digest(),
        aligned=True,
        skipped=skipped,
        notes=[
            f"The {FOLDS} folds are tenths of the file's {len(listed):,} pairs in their order.",
            *left_out * (len(kept) < len(listed)),
            *repeats(pairs.first, pairs.second, "an image"),
        ],
    )


def _problems(images: list[bytes]) -> dict[bytes, str]:
    """Return {image: reason} of the images that are no faces of the size that models take."""
    problems = {}
    for image in Bar(dict.fromkeys(images), desc="checking", unit="image"):
        try:
            height, width = read_photo(image).shape[:2]
        except XcosError as error:
            problems[image] = str(error)
            continue
        if (height, width) != (FACE_SIZE, FACE_SIZE):
            problems[image] = f"it is {width}×{height}, not {FACE_SIZE}×{FACE_SIZE}"
    return problems
