"""The aligned faces of photos: of a set in batches or one at a time, or all of them in memory."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path

import numpy as np

from xcos_tf.data.aligner import FaceAligner, align_each
from xcos_tf.data.alignment import FACE_SIZE, check_aligned
from xcos_tf.data.batching import batches
from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.verification_set import DecodedPhotos, Skipped, VerificationSet
from xcos_tf.progress import Bar

FACES_AT_ONCE = 64


class FaceReader:
    """The faces of a set: read as they are if it is of aligned faces, else found and aligned."""

    def __init__(self, vset: VerificationSet):
        self._vset = vset

    @cached_property
    def _aligner(self) -> FaceAligner:
        return FaceAligner()

    def face(self, position: int) -> np.ndarray:
        """Return one face, uint8 (112, 112, 3) RGB.

        Raises XcosError if the photo cannot be read, shows no face, or is not 112×112 as promised.
        """
        (face,) = self._faces([(position, self._vset.photos.read(position))])
        if face is None:
            raise XcosError(_told({self._vset.photos.names[position]: None}))
        return face

    def batches(
        self, positions: Sequence[int], progress: str
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield positions int64 (B,) of photos and their faces uint8 (B, 112, 112, 3), B ≤ 64.

        Each photo is read once, with a progress bar on standard error.

        Raises:
            XcosError: as by `face`; all photos that cannot be used are named, after the others.
        """
        problems = {}

        def readable():
            for position in map(int, positions):
                try:
                    yield position, self._vset.photos.read(position)
                except XcosError as error:
                    problems[position] = error

        with Bar(total=len(positions), desc=progress, unit="face") as bar:
            for batch in batches(readable(), FACES_AT_ONCE):
                faces = dict(zip((i for i, _ in batch), self._faces(batch), strict=True))
                found = {i: face for i, face in faces.items() if face is not None}
                problems.update(dict.fromkeys(faces.keys() - found.keys()))
                if found:
                    yield np.array(list(found)), np.stack(list(found.values()))
                bar.update(len(batch))
        if problems:
            names = self._vset.photos.names
            raise XcosError(_told({names[i]: problems[i] for i in sorted(problems)}))

    def _faces(self, batch) -> list[np.ndarray | None]:
        names = self._vset.photos.names
        if self._vset.aligned:
            for position, photo in batch:
                advice = "run `xcos align` first or leave out --aligned"
                check_aligned(photo, names[position], advice)
            return [photo for _, photo in batch]
        faces = self._aligner.align([photo for _, photo in batch])
        return [face and face.image for face in faces]


def _told(problems: Mapping[str, XcosError | None]) -> str:
    """Return what is wrong with photos; None: no face was found."""
    advice = "take their pairs out of the list, or add --skip-faceless"
    if not any(problems.values()):
        return f"no face was found in {', '.join(problems)}; {advice}"
    if len(problems) == 1:
        return str(next(iter(problems.values())))
    each = "; ".join(
        f"{name}: {problem or 'no face was found'}" for name, problem in problems.items()
    )
    return f"{len(problems):,} photos cannot be used ({each}); {advice}"


def align_in_memory(vset: VerificationSet) -> VerificationSet:
    """Return a set as one of aligned faces, kept in memory at 38 kB each; as it is if it is one.

    Raises XcosError as `FaceReader.face` does.
    """
    if vset.aligned:
        return vset
    faces = np.empty((len(vset.photos), FACE_SIZE, FACE_SIZE, 3), np.uint8)
    for positions, batch in FaceReader(vset).batches(range(len(faces)), "aligning"):
        faces[positions] = batch
    return replace(vset, photos=DecodedPhotos(vset.photos.names, faces), aligned=True)


def align_photos(
    folder: Path, names: Sequence[str], read_one: Callable[[Path], np.ndarray] = read_photo
) -> tuple[DecodedPhotos, list[Skipped]]:
    """Find and align the face of each photo that shows one, with a progress bar.

    The names are relative to the folder, with "/"; each once. `read_one` reads a photo, uint8
    (H, W, 3), or raises XcosError.

    Returns:
        The faces, 112×112, in the order of `names`, 38 kB of memory for each; and the photos that
        cannot be read or in which MTCNN found no face.

    Raises:
        XcosError: no photo shows a face.
    """
    faces = np.empty((len(names), FACE_SIZE, FACE_SIZE, 3), np.uint8)
    kept, skipped = [], []
    found = align_each((folder / name for name in names), FaceAligner(), read_one=read_one)
    with Bar(total=len(names), desc="aligning", unit="photo") as bar:
        for name, (_, face) in zip(names, found, strict=True):
            if isinstance(face, str):
                skipped.append(Skipped(name, face))
            else:
                faces[len(kept)] = face.image
                kept.append(name)
            bar.update()
    if not kept:
        raise XcosError(
            f"no face was found in any of the {len(names):,} photos of {folder}; {names[0]}, for "
            f"example: {skipped[0].reason}"
        )
    return DecodedPhotos(kept, faces[: len(kept)]), skipped
