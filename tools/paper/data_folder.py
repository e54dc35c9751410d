"""The paper's test sets in a folder of the user's, by the names they customarily have."""

import os
from pathlib import Path

from PIL import Image

from tools.paper.published import FIG_5A_PAIRS, FIG_5A_TAGS
from xcos_tf.data.align_folder import PHOTO_SUFFIXES
from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.evaluation.open_set import open_set
from xcos_tf.evaluation.verification_set import VerificationSet

BINS = {
    "VGG2-FP": "vgg2_fp.bin",
    "AgeDB-30": "agedb_30.bin",
    "CALFW": "calfw.bin",
    "CFP-FF": "cfp_ff.bin",
    "CFP-FP": "cfp_fp.bin",
}
FRAMES = ("frame_images_DB", "aligned_images_DB", ".")
SEED = 0


class NotThere(Exception):
    """A set is not in the folder; the words say what was looked for."""


def open_paper_set(data: Path, name: str) -> VerificationSet:
    """Open one of the paper's sets.

    LFW is `lfw/` with `pairs.txt` in it or beside it, or else `lfw.bin`; YTF is `ytf/` with
    `splits.txt` in it or beside it, and frames in it, in `frame_images_DB` or in
    `aligned_images_DB`; AR is `ar/`; the others are InsightFace's `.bin` files. Whether the photos
    of a folder are aligned faces is told by the size of the first.

    Args:
        data: the folder.
        name: as in the paper's tables, or "AR".

    Raises:
        NotThere: the set is not in the folder.
        XcosError: it is there and cannot be used.
    """
    if name in BINS:
        return _bin(data / BINS[name])
    if name == "LFW":
        if not (data / "lfw").is_dir() and (data / "lfw.bin").is_file():
            return _bin(data / "lfw.bin")
        return _listed(data, "lfw", "pairs.txt", (".",))
    if name == "YTF":
        return _listed(data, "ytf", "splits.txt", FRAMES)
    folder = _folder(data, "ar")
    return open_set(
        folder,
        aligned=is_aligned(folder),
        draw=(FIG_5A_PAIRS, FIG_5A_PAIRS),
        seed=SEED,
        select=FIG_5A_TAGS,
    )


def _bin(path: Path) -> VerificationSet:
    if not path.is_file():
        raise NotThere(f"there is no {path.name}")
    return open_set(path)


def _listed(data: Path, name: str, pairs: str, within: tuple[str, ...]) -> VerificationSet:
    folder = _folder(data, name)
    for place in (folder / pairs, data / pairs):
        if place.is_file():
            break
    else:
        raise NotThere(f"there is no {name}/{pairs}")
    photos = next(folder / x for x in within if (folder / x).is_dir())
    return open_set(photos, place, aligned=is_aligned(photos))


def _folder(data: Path, name: str) -> Path:
    if not (data / name).is_dir():
        raise NotThere(f"there is no {name}/")
    return data / name


def is_aligned(folder: Path) -> bool:
    """Return whether the first photo in the folder is of the size of an aligned face."""
    for here, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(files):
            if Path(name).suffix.lower() in PHOTO_SUFFIXES:
                try:
                    with Image.open(Path(here) / name) as image:
                        return image.size == (FACE_SIZE, FACE_SIZE)
                except OSError:
                    return False  # opening the set says what is wrong
    return False
