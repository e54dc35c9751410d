"""Photos one after another -> the face of each, or the reason why there is none."""

import sys
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from xcos_tf.data.aligner import AlignedFace, FaceAligner
from xcos_tf.data.batching import batches_by_size, read_ahead
from xcos_tf.data.detection import BATCH_SIZE
from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError


def align_each(
    paths: Iterable[Path],
    aligner: FaceAligner,
    batch_size: int = BATCH_SIZE,
    read_one: Callable[[Path], np.ndarray] = read_photo,
) -> Iterator[tuple[Path, AlignedFace | str]]:
    """Align a face of each photo, batch by batch; a photo that fails does not stop the others.

    Args:
        paths: of the photos.
        aligner: finds the faces.
        batch_size: photos that are searched together.
        read_one: reads a photo, uint8 (H, W, 3), or raises XcosError.

    Yields:
        Each path once, with its face or the reason why there is none. Photos of one size share
        batches, so that they come in another order than they were given.
    """
    unreadable = deque()

    def readable():
        for path, photo in read_ahead(paths, read_one):
            if isinstance(photo, XcosError):
                unreadable.append((path, str(photo)))
            else:
                yield path, photo

    for batch in batches_by_size(readable(), batch_size):
        while unreadable:
            yield unreadable.popleft()
        for (path, _), face in zip(batch, _align(aligner, [x for _, x in batch]), strict=True):
            if face is None:
                face = "no face was found; give a photo with one visible face"
            yield path, face
    yield from unreadable


def progress_bar(total: int, finished: int = 0, doing: str = "aligning") -> tqdm:
    """Return a bar of photos on which something is done, on standard error."""
    # In a log file, a line now and then is enough.
    interval = 0.5 if sys.stderr.isatty() else 10.0
    return tqdm(total=total, initial=finished, unit="photo", desc=doing, mininterval=interval)


def _align(aligner: FaceAligner, photos: Sequence[np.ndarray]) -> list[AlignedFace | str | None]:
    """Return each photo's face, None, or the reason for which the detector failed on it."""
    try:
        return aligner.align(photos)
    except Exception as error:  # whatever one odd photo brings up must not cost the others
        if len(photos) == 1:
            return [f"face detection failed ({type(error).__name__}: {error})"]
        return [_align(aligner, [photo])[0] for photo in photos]
