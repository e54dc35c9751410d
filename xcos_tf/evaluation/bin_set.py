"""InsightFace's `.bin` sets (LFW, AgeDB-30, CFP-FP, ...), as verification sets."""

import hashlib
import os

import numpy as np
from tqdm import tqdm

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.photo import read_photo
from xcos_tf.data.records.insightface_bin import BinSource
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.pair_list import repeats
from xcos_tf.evaluation.pairs import pairs_of
from xcos_tf.evaluation.photos import EncodedPhotos
from xcos_tf.evaluation.verification_set import Skipped, VerificationSet, build_set
from xcos_tf.metrics.folds import FOLDS, tenths
from xcos_tf.wording import counted


def bin_set(path: str | os.PathLike) -> VerificationSet:
    """Open a `.bin` file, whose faces are aligned and stay in memory, encoded.

    Its 10 folds are tenths of the list in its order, as InsightFace deals them. Pairs with an image
    that cannot be used are left out and listed; the others keep their folds. An image that is there
    several times, as in LFW's file, becomes one photo. Pairs that are there several times stay, as
    published, and are counted in the notes.

    Raises:
        XcosError: the file cannot be read, asks for something dangerous, does not hold two images
            for each truth value, or no pairs of both kinds are left.
    """
    source = BinSource(path)
    images = [record.image for record in source.read(0, len(source))]
    faults = _faults(images)
    listed = source.pairs
    usable = np.array([image not in faults for image in images])
    kept = np.flatnonzero(usable[listed.first] & usable[listed.second])
    skipped = [
        Skipped(f"image {i} (pair {i // 2})", faults[images[i]]) for i in np.flatnonzero(~usable)
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
    notes = [
        f"The {FOLDS} folds are tenths of the file's {len(listed):,} pairs in their order.",
        *_left_out(len(listed) - len(kept), len(skipped)),
        *repeats(pairs.first, pairs.second, "an image"),
    ]
    photos = EncodedPhotos(source.name, pairs.photos, [images[i] for i in used])
    return build_set(
        source.name,
        photos,
        pairs,
        lambda position: hashlib.sha256(photos.images[position]).digest(),
        aligned=True,
        skipped=skipped,
        notes=notes,
    )


def _faults(images: list[bytes]) -> dict[bytes, str]:
    """Return {image: reason} of the images that are no faces of the size that models take."""
    faults = {}
    for image in tqdm(dict.fromkeys(images), desc="checking", unit="image"):
        try:
            height, width = read_photo(image).shape[:2]
        except XcosError as error:
            faults[image] = str(error)
            continue
        if (height, width) != (FACE_SIZE, FACE_SIZE):
            faults[image] = f"it is {width}×{height}, not {FACE_SIZE}×{FACE_SIZE}"
    return faults


def _left_out(pairs: int, images: int) -> list[str]:
    if not pairs:
        return []
    return [f"Pairs left out: {pairs:,}, for {counted(images, 'image')} that cannot be used."]
