"""How many faces a second the training input gives, against a loop that only decodes.

    python tools/benchmark_input.py PREPARED_SET [...] [--batches 60] [--rounds 5]

Prints images per second of both and their ratio, for the mirrored and normalised input that the
paper trains on, and, for comparison, for one in which every change is made to half of the faces.
The bare loop reads the same sets' shards one after another, decodes and batches. The ways take
turns, so that whatever else the machine does hits all alike; medians are printed, and the spread.
"""

import argparse
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

PEOPLE, FACES, PAIRS = 32, 4, 512
BATCH = PEOPLE * FACES


def measure(folders: Sequence[Path], batches: int = 60, rounds: int = 5, size: int = 112) -> dict:
    """Read batches of 128 faces in each way, in turns.

    Args:
        folders: prepared sets of people, 32 or more in all.
        batches: timed in each round, after three that are not.
        rounds: of all ways.
        size: of the square faces, pixels.

    Returns:
        {way: float (rounds,), images per second}; the ways are "decode", "input" and "changed".

    Raises:
        XcosError: a set cannot be used, or has too few people.
    """
    from xcos_tf.data.face_set import join_sets
    from xcos_tf.data.records.reader import RecordSet
    from xcos_tf.data.sampling import GroupSampler
    from xcos_tf.data.training_input import Augmentation, training_dataset
    from xcos_tf.errors import XcosError

    sets = [RecordSet.open(folder) for folder in folders]
    faces = join_sets(sets)
    if len(faces.people) < PEOPLE:
        raise XcosError(f"the sets have {len(faces.people)} people; give {PEOPLE} or more")
    sampler = GroupSampler(faces.labels, PEOPLE, FACES, PAIRS, 0.25)

    def training_input(augmentation):
        return training_dataset(faces, sampler, augmentation, 0, 2**31, range(1), size)

    ways: dict[str, Callable] = {
        "decode": lambda: _decoded(sets, size),
        "input": lambda: training_input(Augmentation()),
        "changed": lambda: training_input(Augmentation(0.5, 0.5, 0.5, 0.5)),
    }
    rates = {name: [] for name in ways}
    for _ in range(rounds):
        for name, way in ways.items():
            rates[name].append(_images_per_second(way(), batches))
    return {name: np.array(values) for name, values in rates.items()}


def _decoded(sets, size):
    import tensorflow as tf

    from xcos_tf.data.training_input import decode_face

    shards = [str(path) for x in sets for path in sorted(x.folder.glob("*.tfrecord"))]
    features = {"image": tf.io.FixedLenFeature([], tf.string)}
    decoded = (
        tf.data.TFRecordDataset(shards)
        .repeat()
        .map(
            lambda x: decode_face(tf.io.parse_single_example(x, features)["image"], size),
            num_parallel_calls=tf.data.AUTOTUNE,
            deterministic=True,
        )
    )
    return decoded.batch(BATCH).prefetch(tf.data.AUTOTUNE)


def _images_per_second(dataset, batches: int) -> float:
    iterator = iter(dataset)
    for _ in range(3):
        next(iterator)
    begin = time.perf_counter()
    for _ in range(batches):
        next(iterator)
    return batches * BATCH / (time.perf_counter() - begin)


def main(argv: Sequence[str] | None = None) -> int:
    """Print the rates and ratios."""
    from xcos_tf.errors import XcosError

    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("sets", nargs="+", type=Path, help="folders that `xcos prepare` made")
    parser.add_argument("--batches", type=int, default=60, help="(default: %(default)s)")
    parser.add_argument("--rounds", type=int, default=5, help="(default: %(default)s)")
    args = parser.parse_args(argv)
    try:
        rates = measure(args.sets, args.batches, args.rounds)
    except XcosError as error:
        print(f"benchmark_input: error: {error}", file=sys.stderr)
        return 2
    labels = {
        "decode": "decoding alone",
        "input": "training input: mirrored, normalised",
        "changed": "training input: every change to half of the faces",
    }
    print("images per second, median (lowest to highest), ratio to decoding alone:")
    for name, label in labels.items():
        median = np.median(rates[name])
        spread = f"({rates[name].min():.0f} to {rates[name].max():.0f})"
        ratio = np.median(rates[name] / rates["decode"])
        print(f"  {label:<50} {median:7.0f} {spread:<16} {ratio:5.2f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
