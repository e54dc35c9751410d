"""Photos one after another -> the face of each, or the reason why there is none."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

import numpy as np

from xcos_tf.data.aligner import AlignedFace, FaceAligner
from xcos_tf.data.batching import read_ahead
from xcos_tf.data.detection import BATCH_SIZE, THREADS
from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError


def align_each(
    paths: Iterable[Path],
    aligner: FaceAligner,
    batch_size: int = BATCH_SIZE,
    read_one: Callable[[Path], np.ndarray] = read_photo,
    keep: Callable[[Path, AlignedFace], None] = lambda path, face: None,
) -> Iterator[tuple[Path, AlignedFace | str]]:
    """Align a face of each photo, some at once; a photo that fails does not stop the others.

    Args:
        paths: of the photos.
        aligner: finds the faces.
        batch_size: the most photos that are worked on at once.
        read_one: reads a photo, uint8 (H, W, 3), or raises XcosError.
        keep: called with each face, in several threads; an XcosError is a reason to have none.

    Yields:
        Each path, in order, with its face or the reason why there is none.
    """

    def align(path: Path) -> AlignedFace:
        photo = read_one(path)
        try:
            face = aligner.align([photo])[0]
        except MemoryError:
            raise
        except Exception as error:  # whatever one odd photo brings up must not cost the others
            raise XcosError(f"face detection failed ({type(error).__name__}: {error})") from None
        if face is None:
            raise XcosError("no face was found; give a photo with one visible face")
        keep(path, face)
        return face

    for path, face in read_ahead(paths, align, min(batch_size, THREADS)):
        yield path, str(face) if isinstance(face, XcosError) else face
