"""Measure what the README claims about speed: ratios, each side by side in one run.

    python tools/benchmark.py [--photos FOLDER]

- verifying an aligned pair with xCos, against the same backbone's plain cosine (paper: 1.10);
- comparing one template with 10,000 others;
- aligning photos in batches, against one call a photo (tools/benchmark_alignment.py).
"""

import argparse
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[1]
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def interleaved_medians(functions: list[Callable[[], object]], rounds: int) -> list[float]:
    """Return the median seconds of each function, called in turn so that noise hits all alike."""
    seconds = [[] for _ in functions]
    for function in functions:
        function()
    for _ in range(rounds):
        for times, function in zip(seconds, functions, strict=True):
            start = time.perf_counter()
            function()
            times.append(time.perf_counter() - start)
    return [float(np.median(times)) for times in seconds]


def verification_ratio(rounds: int) -> tuple[float, float]:
    """Return the seconds of a plain and of an explained verification of one aligned pair."""
    from xcos_tf import Verifier
    from xcos_tf.templates import Gallery

    faces = np.random.default_rng(0).integers(0, 256, (2, 112, 112, 3)).astype(np.uint8)
    plain = Verifier.from_preset("mobilefacenet")
    xcos = Verifier.from_preset("xcos-mobilefacenet")

    def cosine():
        embeddings = plain.embed(faces)
        return plain.compare(Gallery(embeddings[:1]), Gallery(embeddings[1:]))

    def explained():
        grids = xcos.embed(faces)
        return xcos.explain_pairs(grids[:1], grids[1:])

    return tuple(interleaved_medians([cosine, explained], rounds))


def gallery_seconds(size: int, rounds: int) -> dict[str, float]:
    """Return {attention: seconds to compare one template with `size` others}."""
    from xcos_tf import Verifier
    from xcos_tf.templates import Gallery

    verifier = Verifier.from_preset("xcos-mobilefacenet")
    random = np.random.default_rng(0)
    gallery = Gallery(random.normal(size=(size, 7, 7, 32)))
    probe = Gallery(random.normal(size=(1, 7, 7, 32)))
    names = ("patched", "correlated")
    medians = interleaved_medians(
        [lambda name=name: verifier.compare(probe, gallery, name) for name in names], rounds
    )
    return dict(zip(names, medians, strict=True))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=50, help="calls of each (default: 50)")
    parser.add_argument("--gallery", type=int, default=10_000, help="templates (default: 10000)")
    parser.add_argument(
        "--photos", type=Path, help="250×250 photos to align, such as LFW (default: samples)"
    )
    args = parser.parse_args(argv)

    from tools.benchmark_alignment import main as benchmark_alignment

    plain, explained = verification_ratio(args.rounds)
    print(f"verification of an aligned pair: plain cosine {plain * 1e3:.1f} ms, xCos", end=" ")
    print(f"{explained * 1e3:.1f} ms, ratio {explained / plain:.3f}")
    for name, seconds in gallery_seconds(args.gallery, args.rounds).items():
        print(f"one template against {args.gallery:,}, {name}: {seconds * 1e3:.1f} ms")
    return benchmark_alignment([str(args.photos)] if args.photos else [])


if __name__ == "__main__":
    sys.exit(main())
