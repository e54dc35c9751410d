"""Going through photos: reading ahead, and gathering batches."""

import itertools
import math
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from xcos_tf.data.photo import read_photo
from xcos_tf.errors import XcosError

Read, Item = TypeVar("Read"), TypeVar("Item")

_THREADS = 2
# Decoded photos can be a quarter of a gigabyte each, so few are read ahead of their use.
_READ_AHEAD = 4


def read_ahead(
    paths: Iterable[Path], read_one: Callable[[Path], Read] = read_photo, threads: int = _THREADS
) -> Iterator[tuple[Path, Read | XcosError]]:
    """Read photos in threads while the caller works on the ones before.

    `read_one` returns a photo, or what is made of one, or raises XcosError.

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

    pool, waiting, paths = ThreadPoolExecutor(threads), deque(), iter(paths)
    try:
        while True:
            for path in itertools.islice(paths, _READ_AHEAD + 1 - len(waiting)):
                waiting.append((path, pool.submit(read, path)))
            if not waiting:
                return
            path, future = waiting.popleft()
            yield path, future.result()
    finally:
        pool.shutdown(cancel_futures=True)


def batches(
    items: Iterable[Item],
    batch_size: int,
    most: int = 64_000_000,
    weight: Callable[[Item], int] = lambda item: math.prod(item[1].shape[:2]),
) -> Iterator[list[Item]]:
    """Gather what is read into batches of at most `batch_size`, in its order.

    Items are such as keys with their photos, (H, W, 3), which weigh as much as they have pixels.
    Those of a batch weigh at most `most` together, unless it has one alone.
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
