"""Names and small files of a prepared set.

faces-00000-of-00064.tfrecord   the faces
index.npz                       label, shard, offset and length of each face
people.json                     names, a label is a position among them
skipped.csv                     name and reason of each record that could not be used
pairs.csv                       of pair sets: first, second (positions in the index), same
index.json                      counts and checksums; written last
.progress/                      while the set is unfinished: what is known of finished shards
"""

import csv
import json
import os
from collections.abc import Iterable
from pathlib import Path

FORMAT = 1
INDEX = "index.json"
ARRAYS = "index.npz"
PEOPLE = "people.json"
SKIPPED = "skipped.csv"
PAIRS = "pairs.csv"
PROGRESS = ".progress"


def shard_name(shard: int, shards: int) -> str:
    """Return the file name of a shard."""
    return f"faces-{shard:05d}-of-{shards:05d}.tfrecord"


def replace_file(path: Path, write) -> None:
    """Write a file that is either complete and on disk or not there.

    Args:
        path: of the file.
        write: called with a binary stream.
    """
    part = path.with_name(f".{path.name}.part")
    with open(part, "wb") as stream:
        write(stream)
        stream.flush()
        os.fsync(stream.fileno())
    os.replace(part, path)


def write_json(path: Path, content) -> None:
    """Write JSON in ASCII, which keeps names that are not valid UTF-8."""
    text = json.dumps(content, indent=1) + "\n"
    replace_file(path, lambda stream: stream.write(text.encode("ascii")))


def write_csv(path: Path, heading: tuple[str, ...], rows: Iterable[tuple]) -> None:
    """Write a table, row by row."""
    part = path.with_name(f".{path.name}.part")
    with open(part, "w", encoding="utf-8", errors="surrogateescape", newline="") as stream:
        csv.writer(stream).writerows([heading])
        csv.writer(stream).writerows(rows)
    os.replace(part, path)
