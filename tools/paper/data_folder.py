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
    """Open one of the paper's sets, by its name in the tables, or "AR".

    The list of LFW or YTF is in its folder or beside it; YTF's frames may be in a folder of it.
    Whether the photos of a folder are aligned faces is told by the size of the first.

    Raises:
        NotThere: the set is not in the folder.
        XcosError: it is there and cannot be used.
    """
    path = data / BINS.get(name, name.lower())
    if name == "LFW" and not path.is_dir() and (data / "lfw.bin").is_file():
        path = data / "lfw.bin"
    if path.suffix == ".bin":
        if not path.is_file():
            raise NotThere(f"there is no {path.name}")
        return open_set(path)
    if not path.is_dir():
        raise NotThere(f"there is no {path.name}/")
    if name == "AR":
        draw = {"draw": (FIG_5A_PAIRS, FIG_5A_PAIRS), "seed": SEED, "select": FIG_5A_TAGS}
        return open_set(path, aligned=is_aligned(path), **draw)
    pairs, frames = ("pairs.txt", ["."]) if name == "LFW" else ("splits.txt", FRAMES)
    listed = [place / pairs for place in (path, data) if (place / pairs).is_file()]
    if not listed:
        raise NotThere(f"there is no {path.name}/{pairs}")
    photos = next(path / x for x in frames if (path / x).is_dir())
    return open_set(photos, listed[0], aligned=is_aligned(photos))


def is_aligned(folder: Path) -> bool:
    """Return whether the first photo in the folder is of the size of an aligned face."""
    for here, folders, files in os.walk(folder, followlinks=True):
        folders.sort()
        for name in sorted(files):
            if Path(name).suffix.lower() in PHOTO_SUFFIXES:
                try:
                    with Image.open(Path(here, name)) as image:
                        return image.size == (FACE_SIZE, FACE_SIZE)
                except OSError:
                    return False  # opening the set says what is wrong
    return False
