"""Going through photos: reading ahead, and gathering batches."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

import numpy as np

from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError

Read, Key, Item = TypeVar("Read"), TypeVar("Key"), TypeVar("Item")

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


def pixels_of(photo: tuple[Key, np.ndarray]) -> int:
    """Return how many pixels a photo has."""
    return photo[1].shape[0] * photo[1].shape[1]


def batches(
    items: Iterable[Item],
    batch_size: int,
    most: int = 64_000_000,
    weight: Callable[[Item], int] = pixels_of,
) -> Iterator[list[Item]]:
    """Gather what is read into batches, in its order.

    Args:
        items: such as keys with their photos, uint8 (H, W, 3).
        batch_size: items in a full batch.
        most: that the items of a batch weigh together, unless it has one alone.
        weight: of an item.

    Yields:
        Batches of at most `batch_size` items; every item once.
    """
    batch, total = [], 0
    for item in items:
        if batch and (len(batch) == batch_size or total + weight(item) > most):
            yield batch
            batch, total = [], 0
        batch.append(item)
        total += weight(item)
    if batch:
        yield batch
