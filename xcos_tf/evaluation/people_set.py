"""A folder of people's photos, of which pairs are drawn: the AR database, or any other.

AR's photos are named `M-001-08.bmp`: photo 8 of man 1; women are W, or F in older copies. Photos 1
to 13 were taken in one session, 14 to 26 of the same scenes in another: 8 to 10 with sunglasses, 11
to 13 with a scarf. Source: Martinez and Benavente, "The AR Face Database", CVC Technical Report 24,
1998.
"""

import os
import re
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from xcos_tf.data.align_folder import PHOTO_SUFFIXES, find_photos
from xcos_tf.data.photo import read_photo
from xcos_tf.data.sampling import draw_pairs
from xcos_tf.errors import XcosError, counted, explained
from xcos_tf.evaluation.aligned_faces import align_photos
from xcos_tf.evaluation.pairs import check_photo_folder, pairs_of
from xcos_tf.evaluation.verification_set import (
    DecodedPhotos,
    FolderPhotos,
    VerificationSet,
    build_set,
)
from xcos_tf.files import read_bytes
from xcos_tf.metrics.rates import deal_folds

RAW_SUFFIX = ".raw"

_AR_NAME = re.compile(r"([mwf]-\d{1,3})-(\d{1,2})", re.IGNORECASE)
_AR_SESSION = 13
_AR_TAGS = {**dict.fromkeys((8, 9, 10), "sunglasses"), **dict.fromkeys((11, 12, 13), "scarf")}
_AR_SHAPE = 3, 576, 768


def people_set(
    folder: str | os.PathLike,
    genuine: int,
    impostor: int,
    seed: int = 0,
    select: Sequence[str] = (),
    aligned: bool = False,
) -> VerificationSet:
    """Draw pairs of the photos of people, and deal them into folds.

    A person is a sub-folder, with all photos in it or below. Where all photos are named as those of
    the AR database, a person is what their names say, and photos with sunglasses or a scarf have
    that as a tag.

    Photos that cannot be read, or in which MTCNN finds no face, are left out and listed before
    pairs are drawn; no pair is drawn twice. Aligned photos are drawn from as they are.

    Args:
        genuine, impostor: how many pairs of each kind to draw; the same seed and photos give the
            same ones.
        select: tags; a photo is kept if one of them is a word of its path within the folder, or its
            tag in the AR database, in either case of letters. All photos if empty.

    Returns:
        The set, of aligned faces in any case.

    Raises:
        XcosError: there is no such folder, no photo in it, a photo that is nobody's, a tag that no
            photo has, no face, or fewer pairs than are to be drawn.
    """
    if min(genuine, impostor) < 1 or seed < 0:
        raise XcosError(
            f"cannot draw {genuine} genuine and {impostor} impostor pairs by the seed {seed}; draw "
            "at least one of each, by a seed that is not negative"
        )
    folder = check_photo_folder(folder)
    suffixes = PHOTO_SUFFIXES if aligned else PHOTO_SUFFIXES | {RAW_SUFFIX}
    everything = [Path(name).as_posix() for name in find_photos(folder, suffixes)]
    is_ar = all(map(ar_person, everything))
    names = _selected(folder, everything, select, is_ar)
    person = {name: ar_person(name) if is_ar else _sub_folder(folder, name) for name in names}
    # What cannot be enough is said before minutes are spent on looking for faces.
    labels = _labels(folder, person, names, genuine, impostor)
    skipped, found = [], None
    if not aligned:
        found, skipped = align_photos(folder, names, read_ar_photo)
        names = found.names
        labels = _labels(folder, person, names, genuine, impostor)
    drawn = draw_pairs(labels, genuine, impostor, seed)
    pairs, used = pairs_of(names, drawn.first, drawn.second, drawn.same, deal_folds(drawn.same))
    stored = FolderPhotos(folder, pairs.photos)
    left_out = [
        f"Left out: {counted(len(skipped), 'photo')} that cannot be read or in which MTCNN finds "
        "no face."
    ]
    words = f", those with {' or '.join(select)}" if select else ""
    return build_set(
        folder.resolve().name + "".join(f"-{tag}" for tag in select),
        DecodedPhotos(stored.names, found.pixels[used]) if found else stored,
        pairs,
        stored.digest,
        aligned=True,
        skipped=skipped,
        notes=[
            f"{genuine:,} genuine and {impostor:,} impostor pairs were drawn by the seed {seed} "
            f"from {len(names):,} of {counted(len(everything), 'photo')}{words}, of "
            f"{counted(labels.max() + 1, 'person', 'people')}.",
            *left_out * bool(skipped),
        ],
    )


def _selected(folder: Path, names: Sequence[str], select: Sequence[str], is_ar: bool) -> list[str]:
    """Return the names that have one of the tags; all if there are no tags."""
    tags = [tag.lower() for tag in select]
    words = {name: set(re.split(r"[\W_]+", name.lower())) for name in names}
    if is_ar:
        words = {name: {*found, ar_tag(name)} for name, found in words.items()}
    for tag in tags:
        if not any(tag in found for found in words.values()):
            raise XcosError(
                f"no photo of {folder} has the tag {tag!r}; give a word of the photos' paths, or "
                "sunglasses or scarf for photos of the AR database"
            )
    return [name for name in names if not tags or words[name].intersection(tags)]


def _sub_folder(folder: Path, name: str) -> str:
    if "/" not in name:
        raise XcosError(
            f"the photo {name} lies in {folder} itself, so that it is nobody's; give a folder with "
            "a sub-folder for each person, or with the AR database's photos"
        )
    return name.split("/")[0]


def _labels(
    folder: Path, person: Mapping[str, str], names: Sequence[str], genuine: int, impostor: int
) -> np.ndarray:
    """Return whose each photo is, int64 (N,), if they make enough pairs of each kind."""
    labels = np.unique([person[name] for name in names], return_inverse=True)[1].astype(np.int64)
    counts = np.bincount(labels)
    of_one = int(np.sum(counts * (counts - 1) // 2))
    of_two = len(labels) * (len(labels) - 1) // 2 - of_one
    for kind, wanted, there_are in (("genuine", genuine, of_one), ("impostor", impostor, of_two)):
        if wanted > there_are:
            raise XcosError(
                f"{counted(len(labels), 'photo')} of {counted(len(counts), 'person', 'people')} in "
                f"{folder} make {there_are:,} {kind} pairs, and {wanted:,} are to be drawn; draw "
                "fewer"
            )
    return labels


def ar_person(name: str) -> str | None:
    """Return whom a photo of this path shows, such as "m-001", or None if it is none of AR's."""
    match = _ar_match(name)
    return match and match[1].lower()


def ar_tag(name: str) -> str | None:
    """Return what covers the face in a photo of this path: "sunglasses", "scarf" or None."""
    match = _ar_match(name)
    return match and _AR_TAGS.get((int(match[2]) - 1) % _AR_SESSION + 1)


def _ar_match(name: str) -> re.Match | None:
    # `xcos align` makes M-001-08.bmp.png of M-001-08.bmp.
    return _AR_NAME.fullmatch(Path(name).name.split(".")[0])


def read_ar_photo(path: Path) -> np.ndarray:
    """Return a photo, uint8 (H, W, 3) RGB, of AR's own `.raw` format or any that we read.

    AR's files are the red, the green and the blue plane, each 576 rows of 768 bytes; of another
    size they raise XcosError, as does what `read_photo` cannot read.
    """
    if path.suffix.lower() != RAW_SUFFIX:
        return read_photo(path)
    with explained(f"{path} cannot be read", "check the path"):
        planes = np.frombuffer(read_bytes(path), np.uint8)
    if len(planes) != np.prod(_AR_SHAPE):
        raise XcosError(
            f"{path} has {len(planes)} bytes, not the {np.prod(_AR_SHAPE)} of AR's .raw photos; "
            "save it as PNG"
        )
    return np.ascontiguousarray(planes.reshape(_AR_SHAPE).transpose(1, 2, 0))
