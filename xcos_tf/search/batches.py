"""Photos to entries, some at once, in this process or in several."""

import multiprocessing
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from functools import lru_cache, partial
from pathlib import Path
from typing import NamedTuple

import numpy as np

from xcos_tf.data.aligner import FaceAligner, align_each
from xcos_tf.errors import XcosError
from xcos_tf.search.entries import Entry, entry_of
from xcos_tf.templates import Template
from xcos_tf.verifier import Verifier


class Photo(NamedTuple):
    """A photo to be enrolled: whose, its name, and where it is."""

    person: str
    name: str
    path: Path


class Batch(NamedTuple):
    """What came of some photos.

    Attributes:
        photos: how many.
        entries: of those with a face.
        failed: {photo: reason} of the others.
        several_faces: how many show more than one.
    """

    photos: int
    entries: list[Entry]
    failed: dict[str, str]
    several_faces: int


class BatchMaker:
    """From photos to entries; a worker has one."""

    def __init__(self, verifier: Verifier, rule: str = "largest-central", aligned: bool = False):
        """Load the detector, unless the photos are aligned faces."""
        self._verifier = verifier
        self._aligner = None if aligned else FaceAligner(rule)

    def __call__(self, photos: Sequence[Photo]) -> Batch:
        """Align and embed."""
        faces, failed = [], {}
        found = align_each([photo.path for photo in photos], self._aligner)
        for photo, (_, face) in zip(photos, found, strict=True):
            if isinstance(face, str):
                failed[photo.name] = face
            else:
                faces.append((photo, face))
        features = self._verifier.embed(np.array([face.image for _, face in faces]))
        entries = [
            entry_of(photo.person, photo.name, Template(feature, face.image))
            for (photo, face), feature in zip(faces, features, strict=True)
        ]
        return Batch(len(photos), entries, failed, sum(x.faces_found > 1 for _, x in faces))


def batches_of_workers(
    workers: int, chunks: Sequence[list[Photo]], options: tuple[str, str, bool]
) -> Iterator[Batch]:
    """Make batches in several processes.

    Args:
        workers: how many.
        chunks: photos of each batch.
        options: preset, rule and whether the photos are aligned, as `BatchMaker` takes them.

    Raises:
        XcosError: a process was killed.
    """
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, spawn) as pool:
        try:
            yield from pool.map(partial(_work, options), chunks)
        except BrokenProcessPool:
            raise XcosError(
                "a worker was ended from outside; start again with the same command, which goes "
                "on from here, or with fewer workers if there is not enough memory"
            ) from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _work(options: tuple[str, str, bool], photos: list[Photo]) -> Batch:
    return maker(*options)(photos)


@lru_cache(1)
def maker(preset: str, rule: str, aligned: bool) -> BatchMaker:
    """Return what a worker has, loaded once."""
    return BatchMaker(Verifier.from_preset(preset), rule, aligned)
