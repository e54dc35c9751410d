"""The files of a prepared set: their names, and what they must hold, whoever made them.

faces-00000-of-00064.tfrecord   the faces
index.npz                       label, shard, offset and length of each face
people.json                     names, a label is a position among them
skipped.csv                     name and reason of each record that could not be used
pairs.csv                       of pair sets: first, second (positions in the index), same
index.json                      counts and checksums; written last
.progress/                      while the set is unfinished: what is known of finished shards
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field, InstanceOf

from xcos_tf.arrays import read_npz
from xcos_tf.errors import XcosError, explained
from xcos_tf.files import read_json
from xcos_tf.schemas import Strict

FORMAT = 1
INDEX = "index.json"
ARRAYS = "index.npz"
PEOPLE = "people.json"
SKIPPED = "skipped.csv"
PAIRS = "pairs.csv"
PROGRESS = ".progress"

HEAD, TAIL = 12, 4
"""Bytes before and after each payload of a shard."""

_PEOPLE_BYTES = 2**28


# Names of files need not be valid UTF-8, which pydantic's own texts must be.
Name = InstanceOf[str]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]
Bytes = Annotated[int, Field(ge=0, le=2**48)]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]


class ShardFacts(Strict):
    """Of a shard: its file in the folder, what is in it, and its checksum."""

    file: Annotated[str, Field(pattern=r"^[^/\x00]{1,255}$")]
    images: Count
    sha256: Sha256
    bytes: Bytes


class SourceFacts(Strict):
    """What a set was made from."""

    kind: str
    name: Name
    fingerprint: str
    records: Count


class Index(Strict):
    """`index.json`."""

    format: Literal[1]
    source: SourceFacts
    images: Annotated[Count, Field(ge=1)]
    people: Count
    skipped: Count
    size: Annotated[list[Count], Field(min_length=2, max_length=2)] | None = None
    shards: Annotated[list[ShardFacts], Field(min_length=1)]
    index_sha256: Sha256
    people_sha256: Sha256


class PreparationPlan(SourceFacts):
    """`plan.json` of an unfinished set: what it is made of; the same plan gives the same files."""

    shards: Count

    def range(self, shard: int) -> tuple[int, int]:
        """Return first and last + 1 of a shard's records: stretches of one size, give or take 1."""
        return tuple(self.records * i // self.shards for i in (shard, shard + 1))


class Finished(Strict):
    """What is known of a finished shard, but for its arrays."""

    bytes: Bytes
    sha256: Sha256
    skipped: list[Annotated[list[Name], Field(min_length=2, max_length=2)]]


def shard_name(shard: int, shards: int) -> str:
    return f"faces-{shard:05d}-of-{shards:05d}.tfrecord"


def read_people(path: Path, count: int) -> list[str]:
    """Read the names of a set's people.

    Raises:
        XcosError: it is damaged, or holds another number of them.
    """
    advice = "prepare the set again"
    people = read_json(path, "the list of people", advice, _PEOPLE_BYTES)
    is_list = isinstance(people, list) and all(isinstance(name, str) for name in people)
    if not is_list or len(people) != count:
        raise XcosError(f"the list of people {path} does not hold {count} names; {advice}")
    return people


def read_columns(path: Path, kinds: Mapping[str, type], count: int) -> dict[str, np.ndarray]:
    """Read arrays of `count` whole numbers each, and no more of the file than that.

    Raises:
        XcosError: it is damaged, or holds other arrays.
    """
    errors = OSError, ValueError, KeyError
    with explained(f"{path} is damaged", "prepare the set again", errors):
        arrays = read_npz(path, len(kinds) * (8 * count + 1024))
        found = {name: arrays[name] for name in kinds}
        for name, kind in kinds.items():
            if found[name].dtype != kind or found[name].shape != (count,):
                raise ValueError(f"{name} is not {count} numbers of type {np.dtype(kind)}")
    return found


def check_places(path: Path, index: Index, arrays: Mapping[str, np.ndarray]) -> None:
    """Check that each face lies within its shard and is one of the people's.

    Raises:
        XcosError: one does not.
    """
    sizes = np.array([shard.bytes for shard in index.shards], np.int64)
    shard, offset = arrays["shard"], arrays["offset"]
    known = (shard >= 0) & (shard < len(sizes)) & (arrays["length"] >= 0) & (arrays["label"] >= 0)
    if index.people:
        known &= arrays["label"] < index.people
    room = sizes[np.where(known, shard, 0)]
    # As a difference, which cannot overflow.
    known &= (offset >= HEAD) & (offset <= room - arrays["length"] - TAIL)
    if not known.all():
        raise XcosError(
            f"{path} is damaged (face {int(np.argmin(known))} lies in no shard or is nobody's); "
            "prepare the set again"
        )
