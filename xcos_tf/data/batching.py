"""Reading photos ahead, and gathering those of one size into batches."""

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError

Read = TypeVar("Read")

_THREADS = 2
# Decoded photos can be a quarter of a gigabyte each, so few are read ahead of their use.
_READ_AHEAD = 4


def read_ahead(
    paths: Iterable[Path],
    read_one: Callable[[Path], Read] = read_photo,
    threads: int = _THREADS,
) -> Iterator[tuple[Path, Read | XcosError]]:
    """Read photos in threads while the caller works on the ones before.

    Args:
        paths: of the photos.
        read_one: reads a photo, or what is made of one, or raises XcosError.
        threads: that read at once.

    Yields:
        In order, each path with what was read, or with the reason that it was not.
    """

    def read(path):
        try:
            return read_one(path)
        except XcosError as error:
            return error
        except MemoryError:
            return XcosError(f"{path} does not fit into memory; make it smaller first")

    with ThreadPoolExecutor(threads) as pool:
        waiting = deque()
        try:
            for path in paths:
                waiting.append((path, pool.submit(read, path)))
                if len(waiting) > _READ_AHEAD:
                    path, future = waiting.popleft()
                    yield path, future.result()
            while waiting:
                path, future = waiting.popleft()
                yield path, future.result()
        finally:
            for _, future in waiting:
                future.cancel()


def batches_by_size(
    photos: Iterable[tuple[Path, np.ndarray]],
    batch_size: int,
    most_waiting: int = 256,
    most_pixels: int = 64_000_000,
) -> Iterator[list[tuple[Path, np.ndarray]]]:
    """Gather photos of one size, however they are mixed, into full batches where possible.

    Args:
        photos: paths with their photos, uint8 (H, W, 3).
        batch_size: photos in a full batch.
        most_waiting, most_pixels: once as many photos, or pixels of photos, wait for company of
            their size, the fullest group goes as it is.

    Yields:
        Batches of at most `batch_size` photos of one size; every photo once.
    """
    groups = defaultdict(list)
    for path, photo in photos:
        group = groups[photo.shape]
        group.append((path, photo))
        if len(group) == batch_size:
            yield groups.pop(photo.shape)
        while _too_many(groups, most_waiting, most_pixels):
            yield groups.pop(max(groups, key=lambda shape: len(groups[shape]) * np.prod(shape)))
    yield from groups.values()


def _too_many(groups: dict, most_waiting: int, most_pixels: int) -> bool:
    count = sum(map(len, groups.values()))
    pixels = sum(len(group) * shape[0] * shape[1] for shape, group in groups.items())
    return count > most_waiting or pixels > most_pixels
