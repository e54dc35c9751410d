"""Train with two checkouts of this repository in turns, and print the images per second of each.

    python tools/compare_speed.py OLD NEW --data PREPARED [--config configs/smoke.yaml]

Each line has a run's figure, the mean of its metrics.csv after the first validation, and the
seconds of CPU of the whole run, which what else the machine does changes less.
"""

import argparse
import csv
import os
import resource
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

TRAIN = "import sys; from xcos_tf.cli.main import main; sys.exit(main())"


def train(checkout: Path, config: str, data: Path) -> tuple[float, float]:
    """Train in a folder that is thrown away; return images per second and seconds of CPU."""
    with tempfile.TemporaryDirectory() as out:
        words = ["train", str(checkout / config), "--data", str(data), "--out", f"{out}/run"]
        env = {**os.environ, "PYTHONPATH": str(checkout)}
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-c", TRAIN, *words], cwd=out, env=env, capture_output=True, text=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        if done.returncode:
            sys.exit(f"{checkout}: {done.stderr[-500:]}")
        with open(f"{out}/run/metrics.csv", newline="", encoding="utf-8") as file:
            speeds = [
                row["images_per_second"] for row in csv.DictReader(file) if row["step"] != "0"
            ]
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return statistics.mean(map(float, speeds[1:])), cpu


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("checkouts", type=Path, nargs=2, metavar="CHECKOUT")
    parser.add_argument("--data", type=Path, required=True, help="folder of the prepared sets")
    parser.add_argument("--config", default="configs/smoke.yaml", help="in each checkout")
    parser.add_argument("--rounds", type=int, default=3)
    args = parser.parse_args(argv)
    found = {checkout.resolve(): [] for checkout in args.checkouts}
    for number in range(args.rounds):
        for checkout in sorted(found, reverse=number % 2 == 1):
            found[checkout].append(train(checkout, args.config, args.data.resolve()))
            speed, cpu = found[checkout][-1]
            print(f"{checkout}: {speed:.1f} images/s, {cpu:.1f} s of CPU", flush=True)
    for checkout, runs in found.items():
        speed, cpu = (statistics.median(values) for values in zip(*runs, strict=True))
        print(f"median of {checkout}: {speed:.1f} images/s, {cpu:.1f} s of CPU")
    return 0


if __name__ == "__main__":
    sys.exit(main())
