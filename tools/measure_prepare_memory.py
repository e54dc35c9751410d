"""How much memory `xcos prepare` takes as its input grows.

    python tools/measure_prepare_memory.py [--images 20000 40000 80000] [--jobs 2]

Makes an MXNet record file of each number of 112×112 JPEGs in a temporary folder, prepares it, and
prints the largest resident memory of the process, which has no children, above that of the
command when it has next to nothing to do.
"""

import argparse
import io
import os
import struct
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

ROOT = Path(__file__).resolve().parents[1]
MAGIC = struct.pack("<I", 0xCED7230A)
SIDE = 112
PEOPLE = 10


def write_records(folder: Path, images: int) -> int:
    """Write `train.rec`, `train.idx` and `property` with so many faces; return their bytes."""
    jpegs = [_jpeg(seed) for seed in range(64)]
    folder.mkdir()
    with open(folder / "train.rec", "wb") as records, open(folder / "train.idx", "w") as index:
        for key in range(images):
            # MXNet's IRHeader: flag, label, key, 0.
            data = struct.pack("<IfQQ", 0, key * PEOPLE // images, key, 0) + jpegs[key % 64]
            index.write(f"{key}\t{records.tell()}\n")
            records.write(MAGIC + struct.pack("<I", len(data)) + data + bytes(-len(data) % 4))
        size = records.tell()
    (folder / "property").write_text(f"{PEOPLE},{SIDE},{SIDE}\n")
    return size


def _jpeg(seed: int) -> bytes:
    """Return a smooth picture without the magic word at a multiple of 4, which would part it."""
    pixels = np.random.default_rng(seed).integers(0, 256, (28, 28, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((SIDE, SIDE)).save(stream, "JPEG", quality=95)
    if MAGIC in stream.getvalue():
        return _jpeg(seed + 1000)
    return stream.getvalue()


def peak_memory(source: Path, destination: Path, jobs: int) -> tuple[int, float]:
    """Prepare a set; return the peak resident memory in bytes, and the seconds it took.

    Raises:
        RuntimeError: the command failed.
    """
    command = [sys.executable, "-m", "xcos_tf.cli.main", "prepare", source, destination]
    start = time.monotonic()
    process = subprocess.Popen(
        [*command, "--jobs", str(jobs)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(f"`xcos prepare` failed with code {process.returncode}")
    unit = 1 if sys.platform == "darwin" else 1024
    return usage.ru_maxrss * unit, time.monotonic() - start


def measure(images: Sequence[int], jobs: int) -> list[dict[str, float]]:
    """Return for each size: images, input (MB), memory (MB) and seconds."""
    rows = []
    for count in images:
        with tempfile.TemporaryDirectory() as folder:
            size = write_records(Path(folder) / "set", count)
            memory, seconds = peak_memory(Path(folder) / "set", Path(folder) / "out", jobs)
        rows.append(
            {"images": count, "input": size / 1e6, "memory": memory / 1e6, "seconds": seconds}
        )
    return rows


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--images", type=int, nargs="+", default=[20_000, 40_000, 80_000])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    args = parser.parse_args()
    (idle,) = measure([PEOPLE], args.jobs)
    print(f"nothing to do: {idle['memory']:.0f} MB")
    print("  images   input MB   peak MB   above   seconds   images/s")
    for row in measure(args.images, args.jobs):
        print(
            f"{row['images']:8d} {row['input']:10.0f} {row['memory']:9.0f} "
            f"{row['memory'] - idle['memory']:7.0f} {row['seconds']:9.1f} "
            f"{row['images'] / row['seconds']:10.0f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
