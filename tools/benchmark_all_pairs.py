"""How fast all faces of a set are compared with all others, and in how much memory.

    python tools/benchmark_all_pairs.py FACES [--templates FILE] [--scores patched correlated]

Makes the templates of FACES (one sub-folder a person, as `xcos align` leaves them) unless FILE has
them. Then, in a fresh process for each score, compares all with all from the stored templates and
reads the process's peak resident memory, TensorFlow and all, which it has from the system; after
that it scores a sample of the same pairs one to one, by `Verifier.compare_pairs`, and states what
all pairs would take that way.
"""

import argparse
import os
import resource
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if __name__ in ("__main__", "__mp_main__"):  # the latter in the fresh processes
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

SAMPLE_BLOCK = 2048


def in_fresh_process(function, *arguments):
    """Return what a function returns in a process of its own, whose peak memory is all its own.

    This process must be small: what it holds when the other starts counts as the other's.
    """
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        return pool.submit(function, *arguments).result()


def keep_templates(preset: str, faces: Path, templates: Path) -> float:
    """Make the templates unless they are there; return the seconds it took."""
    from xcos_tf.evaluation.template_making import make_templates
    from xcos_tf.verifier import Verifier

    start = time.perf_counter()
    make_templates(Verifier.from_preset(preset), faces, templates)
    return time.perf_counter() - start


def measure(preset: str, templates: Path, score: str, sample: int) -> dict[str, float]:
    """Compare all with all, then a sample of pairs one to one.

    Returns:
        `pairs`, `seconds`, `cpu_seconds` (of all threads), `memory` (peak, bytes), and
        `one_to_one_seconds` that all pairs would take at the sample's speed.
    """
    from xcos_tf.evaluation.all_pairs import compare_all
    from xcos_tf.evaluation.subject import Subject
    from xcos_tf.evaluation.template_store import open_templates

    subject = Subject(preset)
    store = open_templates(templates)
    # So that what is built once for all comparisons is built.
    subject.score_all(store.read(0, 2), store.read(0, 2), score)
    start, cpu_start = time.perf_counter(), time.process_time()
    found = compare_all(store, subject, score)
    seconds, cpu_seconds = time.perf_counter() - start, time.process_time() - cpu_start
    unit = 1 if sys.platform == "darwin" else 1024
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit

    pairs = found.genuine_pairs + found.impostor_pairs
    features = store.read(0, len(store))
    ends = np.random.default_rng(0).integers(0, len(store), (2, min(sample, pairs)))
    start = time.perf_counter()
    for i in range(0, ends.shape[1], SAMPLE_BLOCK):
        first, second = features[ends[:, i : i + SAMPLE_BLOCK]]
        subject.score_pairs(first, second, score)
    one_to_one = (time.perf_counter() - start) / ends.shape[1] * pairs
    return {
        "pairs": pairs,
        "seconds": seconds,
        "cpu_seconds": cpu_seconds,
        "memory": memory,
        "one_to_one_seconds": one_to_one,
    }


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("faces", type=Path, metavar="FACES")
    parser.add_argument("--templates", type=Path, metavar="FILE", help="kept for the next time")
    parser.add_argument("--preset", default="xcos-mobilefacenet")
    parser.add_argument("--scores", nargs="+", default=["patched", "correlated"], metavar="SCORE")
    parser.add_argument("--sample", type=int, default=50_000, metavar="PAIRS")
    args = parser.parse_args(argv)
    with tempfile.TemporaryDirectory() as temporary:
        templates = args.templates or Path(temporary) / "templates.safetensors"
        seconds = in_fresh_process(keep_templates, args.preset, args.faces, templates)
        print(f"templates: {seconds:.1f} s", flush=True)
        for score in args.scores:
            row = in_fresh_process(measure, args.preset, templates, score, args.sample)
            print(
                f"{score}: {row['pairs']:,} pairs in {row['seconds']:.1f} s "
                f"({row['cpu_seconds']:.1f} s of processors), "
                f"{row['pairs'] / row['seconds']:,.0f} pairs/s, "
                f"peak memory {row['memory'] / 2**20:.0f} MiB; "
                f"one to one {row['one_to_one_seconds']:.0f} s, "
                f"ratio {row['one_to_one_seconds'] / row['seconds']:.1f}",
                flush=True,
            )
    return 0


if __name__ == "__main__":
    sys.exit(main())
