"""A test set, whatever it is stored as: photos, labelled pairs of them, and what was left out."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError, explained
from xcos_tf.evaluation.pairs import PairSet, check_both_kinds
from xcos_tf.files import file_sha256

UNBALANCED = 0.6
"""Share of one kind of pairs, above which accuracy says little."""


@dataclass(frozen=True)
class FolderPhotos:
    """Photos in a folder, whose names are relative to it, with "/"."""

    folder: Path
    names: Sequence[str]

    def __len__(self) -> int:
        return len(self.names)

    def read(self, position: int) -> np.ndarray:
        """Return a photo, uint8 (H, W, 3) RGB; see `read_photo`."""
        return read_photo(self.folder / self.names[position])

    def digest(self, position: int) -> bytes:
        """Return the SHA-256 of a file; see `file_digest`."""
        return file_digest(self.folder / self.names[position])


@dataclass(frozen=True)
class EncodedPhotos:
    """Encoded images in memory, by their names; `source` is what they come from."""

    source: str
    names: Sequence[str]
    images: Sequence[bytes]

    def __len__(self) -> int:
        return len(self.names)

    def read(self, position: int) -> np.ndarray:
        """Return a photo, uint8 (H, W, 3) RGB; raise XcosError that names it if it is damaged."""
        try:
            return read_photo(self.images[position])
        except XcosError as error:
            raise XcosError(f"{self.names[position]} of {self.source}: {error}") from None


@dataclass(frozen=True)
class DecodedPhotos:
    """Faces as pixels in memory, all of one size, which a reader aligned.

    The same content that is aligned already gives other faces, and so another fingerprint.
    """

    names: Sequence[str]
    pixels: np.ndarray

    def __len__(self) -> int:
        return len(self.pixels)

    def read(self, position: int) -> np.ndarray:
        """Return a photo, uint8 (H, W, 3) RGB."""
        return self.pixels[position]


Photos = FolderPhotos | EncodedPhotos | DecodedPhotos
"""Photos or aligned faces that are read by position, each named as a user would look for it."""


def file_digest(path: Path) -> bytes:
    """Return the SHA-256 of a file; raise XcosError if it cannot be read."""
    with explained(f"{path} cannot be read", "check the path"):
        return file_sha256(path).digest()


class Skipped(NamedTuple):
    """What a set has and a measurement leaves out, and why."""

    name: str
    reason: str


@dataclass(frozen=True)
class VerificationSet:
    """What presets are measured on.

    Attributes:
        name: for headings, such as "lfw" or "cfp_fp.bin".
        photos: N of them.
        pairs: of what is compared: of the photos by position, or of videos where `videos` is set.
        aligned: whether the photos are aligned faces, 112×112.
        fingerprint: hexadecimal SHA-256 of the pairs and of the photos' content, for caches and
            reports: the same set gives the same one wherever it is stored.
        videos: for each entry of `pairs.photos`, which photos are its frames, int64 (frames,); a
            pair's score is the mean over all pairs of their frames. None where photos are compared.
        skipped: photos or pairs that had to be left out.
        notes: how the set was read, in sentences for the report, where there was a choice.
    """

    name: str
    photos: Photos
    pairs: PairSet
    aligned: bool
    fingerprint: str
    videos: Sequence[np.ndarray] | None = None
    skipped: Sequence[Skipped] = ()
    notes: Sequence[str] = ()


def build_set(
    name: str,
    photos: Photos,
    pairs: PairSet,
    digest: Callable[[int], bytes],
    *,
    aligned: bool,
    videos: Sequence[np.ndarray] | None = None,
    skipped: Sequence[Skipped] = (),
    notes: Sequence[str] = (),
) -> VerificationSet:
    """Return a verification set, with its fingerprint and with notes on its balance and folds.

    Args:
        digest: SHA-256 of a photo's content, by position, as it is stored.

    Raises:
        XcosError: there are no pairs, they are of one kind only, or a photo cannot be read.
    """
    check_both_kinds(pairs.same, name)
    return VerificationSet(
        name=name,
        photos=photos,
        pairs=pairs,
        aligned=aligned,
        fingerprint=_fingerprint(pairs, digest, videos, isinstance(photos, DecodedPhotos)),
        videos=videos,
        skipped=tuple(skipped),
        notes=(*notes, *_balance(pairs), *_folds(pairs)),
    )


def _fingerprint(pairs: PairSet, digest, videos, aligned_here: bool) -> str:
    """Return the SHA-256 of the pairs in their order, each end told by its photos' content.

    Names, places and the order of photos leave no trace; only photos that a pair names are read,
    each once.
    """
    of_ends = {}
    for end in np.union1d(pairs.first, pairs.second).tolist():
        frames = None if videos is None else [digest(int(frame)) for frame in videos[end]]
        of_ends[end] = digest(end) if frames is None else hashlib.sha256(b"".join(frames)).digest()
    total = hashlib.sha256(b"aligned here" if aligned_here else b"as stored")
    columns = (pairs.first, pairs.second, pairs.same, pairs.fold)
    for first, second, same, fold in zip(*(x.tolist() for x in columns), strict=True):
        total.update(of_ends[first] + of_ends[second])
        total.update(bytes([bool(same)]) + fold.to_bytes(8, "big"))
    return total.hexdigest()


def _balance(pairs: PairSet) -> list[str]:
    genuine = float(pairs.same.mean())
    most, kind = max((genuine, "genuine"), (1 - genuine, "impostor"))
    if most <= UNBALANCED:
        return []
    return [
        f"{most:.0%} of the pairs are {kind}: accuracy says little here, since calling all pairs "
        "that would reach as much; go by TAR, FMR and FNMR."
    ]


def _folds(pairs: PairSet) -> list[str]:
    folds = np.unique(pairs.fold)
    if len(folds) < 2:
        return [
            "The pairs are all in one fold, so that there is no accuracy: a fold's threshold is "
            "found on the others."
        ]
    of_one = [f"{x}" for x in folds if len(set(pairs.same[pairs.fold == x].tolist())) == 1]
    if not of_one:
        return []
    return [
        f"{'Fold' if len(of_one) == 1 else 'Folds'} {', '.join(of_one)} of {len(folds)} (the first "
        "is 0) hold pairs of one kind only, so that there is no accuracy over folds."
    ]
