"""A test set, whatever it is stored as: photos, labelled pairs of them, and what was left out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from xcos_tf.evaluation.pairs import PairSet


class Photos(Protocol):
    """Photos or aligned faces that can be read by position.

    Attributes:
        names: of each, as a user would look for it.
    """

    names: Sequence[str]

    def __len__(self) -> int:
        """Return how many there are."""

    def read(self, position: int) -> np.ndarray:
        """Return a photo, uint8 (H, W, 3) RGB.

        Raises:
            XcosError: it cannot be read; the sentence names it.
        """


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
