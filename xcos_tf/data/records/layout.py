"""Names and small files of a prepared set.

faces-00000-of-00064.tfrecord   the faces
index.npz                       label, shard, offset and length of each face
people.json                     names, a label is a position among them
skipped.csv                     name and reason of each record that could not be used
pairs.csv                       of pair sets: first, second (positions in the index), same
index.json                      counts and checksums; written last
.progress/                      while the set is unfinished: what is known of finished shards
"""

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


HEAD, TAIL = 12, 4
"""Bytes before and after each payload of a shard."""
