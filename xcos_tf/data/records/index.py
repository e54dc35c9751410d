"""What is known of a set: of its shards until it is finished, and then its index."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from xcos_tf.data.records import layout
from xcos_tf.data.records.layout import Finished, Index, PreparationPlan, read_columns, shard_name
from xcos_tf.data.records.source import Pairs, Source
from xcos_tf.data.records.tfrecord import payload_offsets
from xcos_tf.errors import XcosError, counted, shown
from xcos_tf.files import file_sha256, read_json, replace_file, write_csv, write_json
from xcos_tf.schemas import read_ours

COLUMNS = {"label": np.int32, "shard": np.int32, "offset": np.int64, "length": np.int32}
_ARRAYS = {"labels": np.int32, "lengths": np.int32, "positions": np.int64}


class Progress:
    """The `.progress` folder of a set, for `only_writer` of the set.

    A shard is finished when its entry is here; the entry comes after the shard's file. Both appear
    complete or not at all, so the process may be killed at any moment.
    """

    def __init__(self, destination: Path, plan: PreparationPlan):
        """Make or take up the folder.

        Raises:
            XcosError: it belongs to another plan.
            OSError: it cannot be written.
        """
        self.destination, self.plan = destination, plan
        self._folder = destination / layout.PROGRESS
        self._folder.mkdir(parents=True, exist_ok=True)
        plan_file = self._folder / "plan.json"
        if not plan_file.exists():
            write_json(plan_file, self.plan.model_dump())
            return
        advice = f"delete the folder {self.destination}"
        before = read_ours(plan_file, PreparationPlan, advice)
        if before == self.plan:
            return
        if before.shards != self.plan.shards and before.records == self.plan.records:
            remedy = f"give --shards {before.shards} to go on with it"
        else:
            remedy = "the source may have changed since"
        raise XcosError(
            f"{self.destination} holds an unfinished set of another plan; {remedy}, delete the "
            "folder, or choose another"
        )

    def part(self, shard: int) -> Path:
        """Return the temporary name of a shard's file."""
        return self._folder / f"{shard:05d}.part"

    def finish(self, shard: int, known: Finished, arrays: Mapping[str, np.ndarray]) -> None:
        """Give a complete shard its name and remember what is known of it; see `read`."""
        os.replace(self.part(shard), self._shard_file(shard))
        replace_file(self._entry(shard, "npz"), lambda stream: np.savez(stream, **arrays))
        write_json(self._entry(shard, "json"), known.model_dump())

    def read(self, shard: int) -> tuple[Finished, dict[str, np.ndarray]] | None:
        """Return what is known of a shard; None unless it is finished and all of it is whole.

        The arrays are of its faces: `labels`, int32 (n,), `lengths` of their payloads in bytes,
        int32 (n,), and their `positions` in the source, int64 (n,).
        """
        start, stop = self.plan.range(shard)
        try:
            known = read_ours(self._entry(shard, "json"), Finished, "delete the folder")
            if self._shard_file(shard).stat().st_size != known.bytes:
                return None
            count = stop - start - len(known.skipped)
            return known, read_columns(self._entry(shard, "npz"), _ARRAYS, count)
        except (FileNotFoundError, XcosError):
            return None

    def remove(self) -> None:
        """Forget everything; the set is complete."""
        shutil.rmtree(self._folder)

    def _shard_file(self, shard: int) -> Path:
        return self.destination / shard_name(shard, self.plan.shards)

    def _entry(self, shard: int, suffix: str) -> Path:
        return self._folder / f"{shard:05d}.{suffix}"


def write_index(source: Source, progress: Progress, size: tuple[int, int] | None) -> dict[str, int]:
    """Write everything but the shards, index.json last, and return the counts.

    Of the images, `size` is the height and width; None if that is not known.

    Raises:
        XcosError: no image could be used.
        OSError: the folder cannot be written.
    """
    folder, shards = progress.destination, progress.plan.shards
    # Not gathered in parts and joined, which would take twice the memory.
    arrays = {name: np.empty(len(source), kind) for name, kind in COLUMNS.items()}
    positions = np.empty(len(source) if source.pairs is not None else 0, np.int64)
    images, files = 0, []
    for shard in range(shards):
        known, found = progress.read(shard)
        count, lengths = len(found["labels"]), found["lengths"]
        stretch = slice(images, images + count)
        columns = found["labels"], shard, payload_offsets(lengths), lengths
        for name, column in zip(COLUMNS, columns, strict=True):
            arrays[name][stretch] = column
        if source.pairs is not None:
            positions[stretch] = found["positions"]
        images = stretch.stop
        facts = {"sha256": known.sha256, "bytes": known.bytes}
        files.append({"file": shard_name(shard, shards), "images": count, **facts})
    skipped = (entry for shard in range(shards) for entry in progress.read(shard)[0].skipped)
    write_csv(folder / layout.SKIPPED, ("name", "reason"), skipped)
    if not images:
        raise XcosError(
            f"none of the {counted(len(source), 'record')} of {source.name} is an image that can "
            f"be used; see {folder / layout.SKIPPED}"
        )
    arrays = {name: column[:images] for name, column in arrays.items()}
    replace_file(folder / layout.ARRAYS, lambda stream: np.savez(stream, **arrays))
    write_json(folder / layout.PEOPLE, source.people)
    if source.pairs is not None:
        pairs = _usable(source.pairs, positions[:images])
        rows = np.stack([pairs.first, pairs.second, pairs.same], axis=1).tolist()
        write_csv(folder / layout.PAIRS, ("first", "second", "same"), rows)
    counts = {"images": images, "people": len(source.people), "skipped": len(source) - images}
    index = {
        "format": layout.FORMAT,
        "source": progress.plan.model_dump(exclude={"shards"}),
        **counts,
        "size": size,
        "shards": files,
        "index_sha256": file_sha256(folder / layout.ARRAYS).hexdigest(),
        "people_sha256": file_sha256(folder / layout.PEOPLE).hexdigest(),
    }
    write_json(folder / layout.INDEX, index)
    return {**counts, "shards": shards}


def read_summary(folder: Path, plan: PreparationPlan) -> dict[str, int]:
    """Return the counts of a set that is finished, if it is of this plan.

    Raises:
        XcosError: it is of another source or number of shards.
    """
    index = read_index(folder)
    source, shards = index.source, len(index.shards)
    if (source.fingerprint, shards) != (plan.fingerprint, plan.shards):
        raise XcosError(
            f"{folder} holds a finished set of {source.name} in {counted(shards, 'shard')}, and "
            "what is asked for is another; choose another folder"
        )
    return {**{x: getattr(index, x) for x in ("images", "people", "skipped")}, "shards": shards}


def read_index(folder: Path) -> Index:
    """Read a prepared set's index.json.

    Raises:
        XcosError: there is none, the set is unfinished, or it is damaged or of another format.
    """
    path, advice = folder / layout.INDEX, "prepare the set again"
    if not os.path.exists(path):
        if os.path.isdir(folder / layout.PROGRESS):
            raise XcosError(
                f"{folder} is not finished; give the `xcos prepare` command again to go on"
            )
        raise XcosError(f"{shown(folder)} is no prepared set; make one with `xcos prepare`")
    content = read_json(path, "the index", advice)
    found = content.get("format") if isinstance(content, dict) else None
    if found != layout.FORMAT:
        raise XcosError(
            f"{path} is of format {found!r}, and this version reads {layout.FORMAT}; {advice}"
        )
    index = read_ours(path, Index, advice)
    if sum(shard.images for shard in index.shards) != index.images:
        raise XcosError(f"{path} is damaged (its shards hold another number of images); {advice}")
    return index


def _usable(pairs: Pairs, positions: np.ndarray) -> Pairs:
    """Return the pairs whose images are both in the set, by their positions in it.

    `positions`, int64 (images,), ascending, are those of the records that are in the set.
    """
    both = np.isin(pairs.first, positions) & np.isin(pairs.second, positions)
    return Pairs(
        np.searchsorted(positions, pairs.first[both]),
        np.searchsorted(positions, pairs.second[both]),
        pairs.same[both],
    )
