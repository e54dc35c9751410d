"""A folder of photos into a store, which can be stopped and goes on."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path, PurePath

from xcos_tf.cluster import done_on_ray
from xcos_tf.data.align_folder import find_photos
from xcos_tf.errors import XcosError, shown
from xcos_tf.progress import Bar
from xcos_tf.search.batches import Batch, BatchMaker, Photo, batches_of_workers, maker
from xcos_tf.search.entries import check_name
from xcos_tf.search.store import FaceStore

AT_ONCE = 32
"""Photos that are enrolled together: what a kill at any moment may lose."""


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
            bar.update(batch.photos)
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
        return batches_of_workers(workers, chunks, options)
    return map(BatchMaker(store.verifier, rule, aligned), chunks)
