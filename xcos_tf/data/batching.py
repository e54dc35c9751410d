"""Reading photos ahead, and gathering them into batches."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError

Read, Key = TypeVar("Read"), TypeVar("Key")

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


def batches(
    photos: Iterable[tuple[Key, np.ndarray]], batch_size: int, most_pixels: int = 64_000_000
) -> Iterator[list[tuple[Key, np.ndarray]]]:
    """Gather photos into batches, in their order.

    Args:
        photos: keys with their photos, uint8 (H, W, 3).
        batch_size: photos in a full batch.
        most_pixels: of all photos of a batch together, unless it has one alone.

    Yields:
        Batches of at most `batch_size` photos; every photo once.
    """
    batch, pixels = [], 0
    for key, photo in photos:
        size = photo.shape[0] * photo.shape[1]
        if batch and (len(batch) == batch_size or pixels + size > most_pixels):
            yield batch
            batch, pixels = [], 0
        batch.append((key, photo))
        pixels += size
    if batch:
        yield batch
