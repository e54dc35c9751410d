"""The aligned faces of a set's photos, in batches or one at a time."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np
from tqdm import tqdm

from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.batching import batches
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.photos import DecodedPhotos
from xcos_tf.evaluation.verification_set import VerificationSet

FACES_AT_ONCE = 64


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
        faces = self._faces([(position, self._vset.photos.read(position))])
        if faces[0] is None:
            raise XcosError(_told({self._vset.photos.names[position]: None}))
        return faces[0]

    def batches(
        self, positions: Sequence[int], progress: str
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Read faces, each photo once, with a progress bar on standard error.

        Args:
            positions: of photos of the set.
            progress: what to call it on the bar.

        Yields:
            Positions int64 (B,) and their faces uint8 (B, 112, 112, 3), B ≤ 64.

        Raises:
            XcosError: as by `face`; all photos that cannot be used are named, after the others.
        """
        faults = {}

        def readable():
            for position in map(int, positions):
                try:
                    yield position, self._vset.photos.read(position)
                except XcosError as error:
                    faults[position] = error

        with tqdm(total=len(positions), desc=progress, unit="face") as bar:
            for batch in batches(readable(), FACES_AT_ONCE):
                faces = dict(zip((i for i, _ in batch), self._faces(batch), strict=True))
                found = [position for position, face in faces.items() if face is not None]
                faults.update((position, None) for position in faces if faces[position] is None)
                if found:
                    yield np.array(found), np.stack([faces[position] for position in found])
                bar.update(len(batch))
        if faults:
            names = self._vset.photos.names
            raise XcosError(_told({names[i]: faults[i] for i in sorted(faults)}))

    def _faces(self, batch) -> list[np.ndarray | None]:
        names = self._vset.photos.names
        if self._vset.aligned:
            for position, photo in batch:
                if photo.shape[:2] != (FACE_SIZE, FACE_SIZE):
                    raise XcosError(
                        f"{names[position]} is not a {FACE_SIZE}×{FACE_SIZE} face; run `xcos "
                        "align` first or leave out --aligned"
                    )
            return [photo for _, photo in batch]
        faces = self._aligner.align([photo for _, photo in batch])
        return [face and face.image for face in faces]


def _told(faults: Mapping[str, XcosError | None]) -> str:
    """Return what is wrong with photos; None: no face was found."""
    advice = "take their pairs out of the list, or add --skip-faceless"
    if not any(faults.values()):
        return f"no face was found in {', '.join(faults)}; {advice}"
    if len(faults) == 1:
        return str(next(iter(faults.values())))
    each = "; ".join(f"{name}: {fault or 'no face was found'}" for name, fault in faults.items())
    return f"{len(faults):,} photos cannot be used ({each}); {advice}"


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
    return replace(vset, photos=DecodedPhotos(vset.photos.names, faces), aligned=True)
