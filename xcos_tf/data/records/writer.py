"""A source of faces -> a prepared set, which can be stopped at any moment and resumed.

Each shard takes one stretch of the source's records and is written by one thread; decoding, which
the check of each image needs and which takes most of the time, runs outside Python's lock. Threads
rather than processes: they share the source's tables, start at once, and none lives on to write
when the process is killed.
"""

import os
import shutil
import threading
import time
from array import array
from collections.abc import Callable
from concurrent.futures import FIRST_EXCEPTION, ThreadPoolExecutor, wait
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tensorflow as tf

from xcos_tf.cluster import connect, done_on_ray
from xcos_tf.data.batching import batches
from xcos_tf.data.records.image_check import find_problems, usual_size
from xcos_tf.data.records.index import Progress, read_summary, write_index
from xcos_tf.data.records.insightface_bin import BinSource
from xcos_tf.data.records.layout import INDEX, PROGRESS, Finished, PreparationPlan
from xcos_tf.data.records.mxnet import MxnetSource
from xcos_tf.data.records.source import FolderSource, Source
from xcos_tf.data.records.tfrecord import ShardWriter
from xcos_tf.errors import XcosError, explained, shown
from xcos_tf.files import check_can_write, file_sha256, only_writer
from xcos_tf.progress import Bar

SHARDS = 64
"""So many that 64 readers never wait for one another, so few that each is a big file."""

_FIRST = 64
"""Records by which the size of a set's images is told."""

_MOST_AT_ONCE = 32, 4_000_000
"""Images, and bytes of them, that are checked together, between two looks at the stop signal."""

RECORD_FILE = "train.rec"


@dataclass(frozen=True)
class PrepareSummary:
    """What became of a source: counts of the whole set; `checked` records and seconds now."""

    images: int
    people: int
    skipped: int
    shards: int
    checked: int
    seconds: float


def open_source(path: str | os.PathLike) -> Source:
    """Open a folder of people, a folder with `train.rec` (or a `.rec` file), or a `.bin` set.

    Raises:
        XcosError: it is none of these, or cannot be read.
    """
    path = Path(path)
    if os.path.isdir(path):  # not `Path`'s, which fails on a name that is too long
        records = path / RECORD_FILE
        return MxnetSource(records) if records.is_file() else FolderSource(path)
    kinds = {".rec": MxnetSource, ".bin": BinSource}
    if os.path.isfile(path) and path.suffix.lower() in kinds:
        return kinds[path.suffix.lower()](path)
    if not os.path.exists(path):
        raise XcosError(f"there is no file or folder {shown(path)}; check the path")
    raise XcosError(
        f"{shown(path)} is no set of faces that can be read; give a folder with one "
        f"sub-folder a person, a folder with MXNet's {RECORD_FILE} in it, or an InsightFace .bin "
        "file"
    )


def check_destination(destination: str | os.PathLike) -> None:
    """Fail before the work rather than after it.

    Raises:
        XcosError: the destination is no folder, or holds something but no set, finished or
            unfinished; or it, or the nearest folder around it that exists, cannot be written.
    """
    destination = Path(destination)
    if destination.exists() and not destination.is_dir():
        raise XcosError(f"{destination} is not a folder; choose another destination")
    is_set = (destination / INDEX).exists() or (destination / PROGRESS).exists()
    if destination.exists() and not is_set and any(destination.iterdir()):
        raise XcosError(
            f"{destination} holds other files; choose a folder that is empty or not there yet"
        )
    check_can_write(destination, within=destination)


def prepare(
    source: Source,
    destination: str | os.PathLike,
    shards: int = SHARDS,
    jobs: int | None = None,
    ray: str | None = None,
) -> PrepareSummary:
    """Write every usable image of a source into sharded TFRecord files with an index.

    Records keep their order and images their bytes. An image of another size than most of the
    first 64 is skipped, since training takes one size. The same source and number of shards give
    the same files, however often the work is stopped and started again, and whatever `jobs` is.

    Args:
        source: of the records.
        destination: made if missing; empty, or of an earlier run with this source.
        shards: files; fewer if there are fewer records.
        jobs: threads; None: as many as there are processors.
        ray: address of a Ray cluster that writes the files instead; its machines see the source and
            the destination under the same paths.

    Raises:
        XcosError: the destination holds other things, cannot be written or is too small, or no
            image of the source can be used; or there is no such cluster.
    """
    start = time.monotonic()
    destination = Path(destination)
    check_destination(destination)
    if ray is not None:
        connect(ray)  # before a folder is made
    facts = {x: getattr(source, x) for x in ("kind", "name", "fingerprint")}
    plan = PreparationPlan(**facts, records=len(source), shards=min(shards, len(source)))
    with _problems_of(destination), only_writer(destination, "xcos prepare"):
        if (destination / INDEX).exists():
            checked, summary = 0, read_summary(destination, plan)
            # There if the last run was killed between its last two actions.
            shutil.rmtree(destination / PROGRESS, ignore_errors=True)
        else:
            progress = Progress(destination, plan)
            # The same each time that the work is taken up.
            size = usual_size(x.image for x in source.read(0, min(_FIRST, len(source))))
            checked = _write_shards(source, progress, size, jobs or os.cpu_count() or 1, ray)
            summary = write_index(source, progress, size)
            progress.remove()
    return PrepareSummary(**summary, checked=checked, seconds=time.monotonic() - start)


def _problems_of(destination: Path) -> AbstractContextManager[None]:
    """Say in one sentence why a folder cannot be written."""
    advice = "make room or mend its permissions, then give the same command to go on"
    errors = OSError, tf.errors.OpError
    return explained(f"{destination} cannot be written", advice, errors)


def _write_shards(source: Source, progress: Progress, size, jobs: int, ray: str | None) -> int:
    """Write the shards that are missing and return the number of their records."""
    plan = progress.plan
    sizes = [stop - start for start, stop in map(plan.range, range(plan.shards))]
    missing = [shard for shard in range(plan.shards) if progress.read(shard) is None]
    todo = sum(sizes[shard] for shard in missing)
    needed, free = source.size * todo // plan.records, shutil.disk_usage(progress.destination).free
    if needed > free:
        raise XcosError(
            f"{progress.destination} needs about {needed / 1e9:.1f} GB and has {free / 1e9:.1f} GB "
            "free; make room or choose another disk"
        )
    bar = Bar(total=plan.records, initial=plan.records - todo, desc="preparing", unit="image")
    if ray is not None:
        make = partial(_shard_writer, source.path, progress, size)
        with bar:
            for shard in done_on_ray(ray, make, missing):
                bar.update(sizes[shard])
        return todo
    stop, bar_lock = threading.Event(), threading.Lock()

    def tell(count: int) -> bool:
        with bar_lock:
            bar.update(count)
        return not stop.is_set()

    with bar, ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(_write_shard, source, progress, size, x, tell) for x in missing]
        try:
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()
        finally:  # of no effect when all went well
            stop.set()
            pool.shutdown(cancel_futures=True)
    return todo


def _shard_writer(path: Path, progress: Progress, size) -> Callable[[int], int]:
    """Return what writes a shard of the source at `path` and returns its number."""
    source = open_source(path)
    if source.fingerprint != progress.plan.fingerprint:
        raise XcosError(f"a machine of the cluster has another {path}; give all the same one")

    def write(shard: int) -> int:
        with _problems_of(progress.destination):
            _write_shard(source, progress, size, shard, lambda count: True)
        return shard

    return write


def _write_shard(
    source: Source, progress: Progress, size, shard: int, tell: Callable[[int], bool]
) -> None:
    """Write one shard; nothing of it remains known if it is stopped on the way.

    `tell` is told how many records were looked at, and says whether to go on.
    """
    path = progress.part(shard)
    position, stop = progress.plan.range(shard)
    writer, positions, skipped = ShardWriter(path), array("q"), []
    try:
        records = source.read(position, stop)
        for batch in batches(records, *_MOST_AT_ONCE, lambda record: len(record.image)):
            if not tell(0):
                return
            problems = find_problems([record.image for record in batch], size)
            for record, problem in zip(batch, problems, strict=True):
                if record.problem or problem:
                    skipped.append([record.name, record.problem or problem])
                else:
                    writer.add(record.image, record.label, record.name)
                    positions.append(position)
                position += 1
            tell(len(batch))
    finally:
        writer.close()
    arrays = {
        "labels": np.array(writer.labels, np.int32),
        "lengths": np.array(writer.lengths, np.int32),
        "positions": np.array(positions, np.int64),
    }
    sha256 = file_sha256(path).hexdigest()
    known = Finished(bytes=path.stat().st_size, sha256=sha256, skipped=skipped)
    progress.finish(shard, known, arrays)
