"""What is known of the finished shards of an unfinished set, so that they are not written again."""

import os
import shutil
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from xcos_tf.data.records.layout import (
    PROGRESS,
    Finished,
    PreparationPlan,
    read_columns,
    shard_name,
)
from xcos_tf.errors import XcosError
from xcos_tf.files import replace_file, write_json
from xcos_tf.schemas import read_ours

_ARRAYS = {"labels": np.int32, "lengths": np.int32, "positions": np.int64}


@dataclass(frozen=True)
class FinishedShard:
    """Of a complete shard: its faces' labels, int32 (n,), and payloads' bytes, int32 (n,), its
    file's bytes and SHA-256, the position in the source of each face, int64 (n,), and [name,
    reason] of what was skipped."""

    labels: np.ndarray
    lengths: np.ndarray
    positions: np.ndarray
    bytes: int
    sha256: str
    skipped: list[list[str]]


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
        self._folder = destination / PROGRESS
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

    def finish(self, shard: int, finished: FinishedShard) -> None:
        """Give a complete shard its name and remember what is known of it."""
        os.replace(self.part(shard), self._shard_file(shard))
        arrays = {x: getattr(finished, x) for x in ("labels", "lengths", "positions")}
        replace_file(self._entry(shard, "npz"), lambda stream: np.savez(stream, **arrays))
        known = {x: getattr(finished, x) for x in ("bytes", "sha256", "skipped")}
        write_json(self._entry(shard, "json"), known)

    def read(self, shard: int) -> FinishedShard | None:
        """Return what is known of a shard; None unless it is finished and all of it is whole."""
        start, stop = self.plan.range(shard)
        try:
            known = read_ours(self._entry(shard, "json"), Finished, "delete the folder")
            if self._shard_file(shard).stat().st_size != known.bytes:
                return None
            count = stop - start - len(known.skipped)
            arrays = read_columns(self._entry(shard, "npz"), _ARRAYS, count)
        except (FileNotFoundError, XcosError):
            return None
        return FinishedShard(**arrays, **known.model_dump())

    def remove(self) -> None:
        """Forget everything; the set is complete."""
        shutil.rmtree(self._folder)

    def _shard_file(self, shard: int) -> Path:
        return self.destination / shard_name(shard, self.plan.shards)

    def _entry(self, shard: int, suffix: str) -> Path:
        return self._folder / f"{shard:05d}.{suffix}"
