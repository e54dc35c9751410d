"""The aligned faces of a set's photos, in batches or one at a time."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from tqdm import tqdm

from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.batching import batches_by_size
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.verification_set import VerificationSet

BATCH = 64


class SetFaces:
    """The faces of a set: read as they are if it is of aligned faces, else found and aligned."""

    def __init__(self, vset: VerificationSet):
        """Take a set; nothing is read yet."""
        self._vset = vset

    @cached_property
    def _aligner(self) -> FaceAligner:
        return FaceAligner()

    def face(self, position: int) -> np.ndarray:
        """Return one face, uint8 (112, 112, 3) RGB.

        Raises:
            XcosError: the photo cannot be read, shows no face, or is not 112×112 as promised.
        """
        return self._faces([(position, self._vset.photos.read(position))])[0]

    def batches(
        self, positions: Sequence[int], progress: str
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Read faces, each photo once, with a progress bar on standard error.

        Args:
            positions: of photos of the set.
            progress: what to call it on the bar.

        Yields:
            Positions int64 (B,) and their faces uint8 (B, 112, 112, 3), B ≤ 64; photos of one
            size share batches, so that they come in another order than asked for.

        Raises:
            XcosError: as by `face`.
        """
        photos = ((int(position), self._vset.photos.read(position)) for position in positions)
        with tqdm(total=len(positions), desc=progress, unit="face") as bar:
            for batch in batches_by_size(photos, BATCH):
                yield np.array([position for position, _ in batch]), self._faces(batch)
                bar.update(len(batch))

    def _faces(self, batch) -> np.ndarray:
        names = self._vset.photos.names
        if self._vset.aligned:
            for position, photo in batch:
                if photo.shape[:2] != (FACE_SIZE, FACE_SIZE):
                    raise XcosError(
                        f"{names[position]} is not a {FACE_SIZE}×{FACE_SIZE} face; run `xcos "
                        "align` first or leave out --aligned"
                    )
            return np.stack([photo for _, photo in batch])
        faces = self._aligner.align([photo for _, photo in batch])
        for (position, _), face in zip(batch, faces, strict=True):
            if face is None:
                raise XcosError(
                    f"no face was found in {names[position]}; take its pairs out of the list"
                )
        return np.stack([face.image for face in faces])


@dataclass(frozen=True)
class FacesInMemory:
    """Aligned faces, as `Photos`."""

    names: Sequence[str]
    faces: np.ndarray

    def __len__(self) -> int:
        return len(self.faces)

    def read(self, position: int) -> np.ndarray:
        """Return a face, uint8 (112, 112, 3) RGB."""
        return self.faces[position]


def align_in_memory(vset: VerificationSet) -> VerificationSet:
    """Return a set as one of aligned faces, kept in memory at 38 kB each; as it is if it is one.

    Raises:
        XcosError: as by `SetFaces.face`.
    """
    if vset.aligned:
        return vset
    faces = np.empty((len(vset.photos), FACE_SIZE, FACE_SIZE, 3), np.uint8)
    for positions, batch in SetFaces(vset).batches(range(len(faces)), "aligning"):
        faces[positions] = batch
    return replace(vset, photos=FacesInMemory(vset.photos.names, faces), aligned=True)
