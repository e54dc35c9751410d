"""A test set, whatever it is stored as: photos, labelled pairs of them, and what was left out."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xcos_tf.evaluation.pair_list import check_both_kinds
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.photos import Photos

UNBALANCED = 0.6
"""Share of one kind of pairs, above which accuracy says little."""


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
    aligned_here: bool = False,
    videos: Sequence[np.ndarray] | None = None,
    skipped: Sequence[Skipped] = (),
    notes: Sequence[str] = (),
) -> VerificationSet:
    """Return a verification set, with its fingerprint and with notes on its balance and folds.

    Args:
        name, photos, pairs, aligned, videos, skipped, notes: see `VerificationSet`.
        digest: SHA-256 of a photo's content, by position, as it is stored.
        aligned_here: whether what is stored was aligned by the reader, which gives other faces
            than the same content taken as aligned.

    Raises:
        XcosError: there are no pairs, they are of one kind only, or a photo cannot be read.
    """
    check_both_kinds(pairs.same, name)
    return VerificationSet(
        name=name,
        photos=photos,
        pairs=pairs,
        aligned=aligned,
        fingerprint=_fingerprint(pairs, digest, videos, aligned_here),
        videos=videos,
        skipped=tuple(skipped),
        notes=(*notes, *_balance(pairs), *_folds(pairs)),
    )


def _fingerprint(pairs: PairSet, digest, videos, aligned_here: bool) -> str:
    """Return the SHA-256 of the pairs in their order, each end told by its photos' content.

    Names, places and the order of photos leave no trace; only photos that a pair names are read,
    each once.
    """

    def of_end(position: int) -> bytes:
        if videos is None:
            return digest(position)
        frames = [digest(int(frame)) for frame in videos[position]]
        return hashlib.sha256(b"".join(frames)).digest()

    of_ends = {int(end): of_end(int(end)) for end in np.union1d(pairs.first, pairs.second)}
    total = hashlib.sha256(b"aligned here" if aligned_here else b"as stored")
    for first, second, same, fold in zip(
        pairs.first, pairs.second, pairs.same, pairs.fold, strict=True
    ):
        total.update(of_ends[int(first)] + of_ends[int(second)])
        total.update(bytes([bool(same)]) + int(fold).to_bytes(8, "big"))
    return total.hexdigest()


def _balance(pairs: PairSet) -> list[str]:
    share = float(pairs.same.mean())
    if max(share, 1 - share) <= UNBALANCED:
        return []
    kind = "genuine" if share > 0.5 else "impostor"
    return [
        f"{max(share, 1 - share):.0%} of the pairs are {kind}: accuracy says little here, since "
        "calling all pairs that would reach as much; go by TAR, FMR and FNMR."
    ]


def _folds(pairs: PairSet) -> list[str]:
    folds = np.unique(pairs.fold)
    if len(folds) < 2:
        return [
            "The pairs are all in one fold, so that there is no accuracy: a fold's threshold is "
            "found on the others."
        ]
    kinds = {int(fold): pairs.same[pairs.fold == fold] for fold in folds}
    of_one = [f"{fold}" for fold, same in kinds.items() if same.all() or not same.any()]
    if not of_one:
        return []
    return [
        f"{'Fold' if len(of_one) == 1 else 'Folds'} {', '.join(of_one)} of {len(folds)} (the first "
        "is 0) hold pairs of one kind only, so that there is no accuracy over folds."
    ]
