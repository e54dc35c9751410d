"""Photos of a folder -> those that show a face, aligned and in memory."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from xcos_tf.data.align_each import align_each, progress_bar
from xcos_tf.data.aligner import FaceAligner
from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.photos import DecodedPhotos
from xcos_tf.evaluation.verification_set import Skipped


def align_photos(
    folder: Path, names: Sequence[str], read_one: Callable[[Path], np.ndarray] = read_photo
) -> tuple[DecodedPhotos, list[Skipped]]:
    """Find and align the face of each photo that shows one, with a progress bar.

    Args:
        folder: of the photos.
        names: relative to it, with "/"; each once.
        read_one: reads a photo, uint8 (H, W, 3), or raises XcosError.

    Returns:
        The faces, 112×112, in the order of `names`, 38 kB of memory for each; and the photos that
        cannot be read or in which MTCNN found no face.

    Raises:
        XcosError: no photo shows a face.
    """
    place = {folder / name: position for position, name in enumerate(names)}
    faces = np.empty((len(names), FACE_SIZE, FACE_SIZE, 3), np.uint8)
    faults = {}
    with progress_bar(len(names)) as bar:
        for path, face in align_each(place, FaceAligner(), read_one=read_one):
            if isinstance(face, str):
                faults[place[path]] = face
            else:
                faces[place[path]] = face.image
            bar.update()
    skipped = [Skipped(names[position], faults[position]) for position in sorted(faults)]
    kept = [position for position in range(len(names)) if position not in faults]
    if not kept:
        raise XcosError(
            f"no face was found in any of the {len(names):,} photos of {folder}; {names[0]}, for "
            f"example: {faults[0]}"
        )
    # In place, since a second copy of a large set may not fit into memory.
    for to, position in enumerate(kept):
        if to != position:
            faces[to] = faces[position]
    return DecodedPhotos([names[position] for position in kept], faces[: len(kept)]), skipped
