"""A folder of photos into a store, in this process or in several; stopped, it goes on."""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass, field
from functools import lru_cache, partial
from pathlib import Path, PurePath
from typing import NamedTuple

import numpy as np

from xcos_tf.cluster import done_on_ray
from xcos_tf.data.align_folder import find_photos
from xcos_tf.data.aligner import FaceAligner, align_each
from xcos_tf.errors import XcosError, shown
from xcos_tf.progress import Bar
from xcos_tf.search.entries import Entry, check_name, entry_of
from xcos_tf.search.store import FaceStore
from xcos_tf.templates import Template
from xcos_tf.verifier import Verifier

AT_ONCE = 32
"""Photos that are enrolled together: what a kill at any moment may lose."""


class Photo(NamedTuple):
    """A photo to be enrolled: whose, its name, and where it is."""

    person: str
    name: str
    path: Path


class Batch(NamedTuple):
    """What came of some photos.

    Attributes:
        entries: of those with a face.
        failed: {photo: reason} of the others.
        several_faces: how many show more than one.
    """

    entries: list[Entry]
    failed: dict[str, str]
    several_faces: int


@dataclass
class EnrollSummary:
    """What became of the photos of a folder.

    Attributes:
        enrolled: faces that are new in the store.
        already_done: photos that were in it.
        failed: {photo: reason} of those without a face.
        several_faces: photos, among those enrolled, that show more than one.
        people: who have a new face.
    """

    enrolled: int = 0
    already_done: int = 0
    failed: dict[str, str] = field(default_factory=dict)
    several_faces: int = 0
    people: set[str] = field(default_factory=set)


def enroll_photos(
    store: FaceStore,
    photos: Sequence[Photo],
    aligned: bool = False,
    rule: str = "largest-central",
    workers: int = 1,
    ray: str | None = None,
) -> EnrollSummary:
    """Enroll photos of people.

    Those that are enrolled already are passed over, so that a run that was stopped goes on; those
    that failed are tried again.

    Args:
        store: opened to be written.
        photos: of `photos_of`.
        aligned: whether they are faces that are aligned already.
        rule: which face of a photo with several; see `choose_face`.
        workers: processes that work side by side.
        ray: address of a Ray cluster that does the work instead; its machines see the photos under
            the same paths.

    Raises:
        XcosError: the store cannot be written.
    """
    done = store.known([(x.person, x.name) for x in photos])
    pending = [x for x in photos if (x.person, x.name) not in done]
    summary = EnrollSummary(already_done=len(done))
    with Bar(total=len(photos), initial=len(done), desc="enrolling", unit="photo") as bar:
        for batch in _batches(store, pending, rule, aligned, workers, ray):
            summary.enrolled += store.add(batch.entries)
            summary.people |= {entry.person for entry in batch.entries}
            summary.failed |= batch.failed
            summary.several_faces += batch.several_faces
            bar.update(len(batch.entries) + len(batch.failed))
    store.finish()
    return summary


def photos_of(folder: str | os.PathLike) -> list[Photo]:
    """Return the photos of a folder, and whose they are.

    A photo in a sub-folder shows the person of the sub-folder's name; a photo in the folder itself
    a person of its own name.

    Raises:
        XcosError: it is no folder or holds none.
    """
    folder, found = Path(folder), []
    if not folder.is_dir():
        raise XcosError(f"there is no folder {shown(folder)}; give one with photos of people")
    for name in find_photos(folder):
        parts = PurePath(name).parts
        person = parts[0] if len(parts) > 1 else PurePath(name).stem
        found.append(
            Photo(check_name(person, "a person"), check_name(name, "a photo"), folder / name)
        )
    return found


def _batches(store, photos, rule, aligned, workers, ray) -> Iterator[Batch]:
    """Make batches in this process, in several, or on a cluster."""
    chunks = [photos[i : i + AT_ONCE] for i in range(0, len(photos), AT_ONCE)]
    options = os.fspath(store.preset), rule, aligned
    if ray is not None:
        return done_on_ray(ray, partial(maker, *options), chunks)
    if workers > 1:
        return _batches_of_workers(workers, chunks, options)
    return map(partial(batch_of, store.verifier, None if aligned else FaceAligner(rule)), chunks)


def batch_of(verifier: Verifier, aligner: FaceAligner | None, photos: Sequence[Photo]) -> Batch:
    """Align and embed photos, or embed those that are aligned faces, without an aligner."""
    faces, failed = [], {}
    found = align_each([photo.path for photo in photos], aligner)
    for photo, (_, face) in zip(photos, found, strict=True):
        if isinstance(face, str):
            failed[photo.name] = face
        else:
            faces.append((photo, face))
    features = verifier.embed(np.array([face.image for _, face in faces]))
    entries = [
        entry_of(photo.person, photo.name, Template(feature, face.image))
        for (photo, face), feature in zip(faces, features, strict=True)
    ]
    return Batch(entries, failed, sum(x.faces_found > 1 for _, x in faces))


@lru_cache(1)
def maker(preset: str, rule: str, aligned: bool) -> Callable[[Sequence[Photo]], Batch]:
    """Return what makes batches of photos in a worker, loaded once."""
    aligner = None if aligned else FaceAligner(rule)
    return partial(batch_of, Verifier.from_preset(preset), aligner)


def _work(options: tuple[str, str, bool], photos: list[Photo]) -> Batch:
    return maker(*options)(photos)


def _batches_of_workers(
    workers: int, chunks: Sequence[list[Photo]], options: tuple[str, str, bool]
) -> Iterator[Batch]:
    """Make batches in several processes; raises XcosError if one of them was killed."""
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
