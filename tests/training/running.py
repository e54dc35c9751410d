"""Small runs of `xcos train` on drawn faces, as a user starts them."""

import itertools
import os
import pickle
import subprocess
import sys
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from tools import generate_faces
from xcos_tf.cli.main import main
from xcos_tf.yaml_text import to_yaml

SMOKE = Path(__file__).parents[2] / "configs/smoke.yaml"
STEPS, BEST_BY = 18, "patched"

# A step is 8 faces of 4 people; of the 7 drawn, 3 are held out. To trace less, more is frozen.
SMALL = {
    "start": {"frozen_until": "block_14_add"},
    "data": {"hold_out": {"generated": 3}},
    "batch": {"groups": 2, "people": 2, "faces": 2, "pairs": 4},
    "schedule": {"warmup": 2},
    "steps": STEPS,
    "checkpoint": {"every": 1, "keep": 20},
    "validation": {"every": 9, "best_by": BEST_BY, "genuine": 40, "impostor": 80},
    "finish": {"correlation_pairs": 30, "threshold_pairs": 1000, "facts": {"licence": "none"}},
}


def draw_and_prepare(folder: Path) -> None:
    """Draw 42 faces of 7 people into `faces`; prepare them in `prepared`.

    They become the set "generated", and "lfw" of ten genuine and ten impostor pairs, by turns.
    """
    faces, sets = folder / "faces", folder / "prepared"
    assert generate_faces.main([str(faces), "--people", "7", "--faces", "6"]) == 0
    prepare(faces, sets / "generated")
    people = [sorted(person.iterdir()) for person in sorted(faces.iterdir())]
    genuine = [person[start : start + 2] for start in (0, 2) for person in people]
    impostor = [(a[start], b[start]) for start in (0, 2) for a, b in itertools.pairwise(people)]
    pairs = [pair for both in zip(genuine[:10], impostor[:10], strict=True) for pair in both]
    images = [path.read_bytes() for pair in pairs for path in pair]
    (folder / "lfw.bin").write_bytes(pickle.dumps((images, [True, False] * 10)))
    prepare(folder / "lfw.bin", sets / "lfw")


def prepare(source: Path, destination: Path) -> None:
    assert main(["prepare", str(source), str(destination), "--shards", "2", "--jobs", "1"]) == 0


def write_config(path: Path, changes: dict | None = None) -> Path:
    """Write a configuration: the smoke test's, SMALL over that, and `changes` over both."""
    small = path.with_suffix(".small.yaml")
    small.write_text(to_yaml(SMALL))
    path.write_text(to_yaml({"extends": [str(SMOKE), small.name], **(changes or {})}))
    return path


def train_command(config: Path, sets: Path, out: Path) -> list[str]:
    """Return the words after `xcos`."""
    return ["train", str(config), "--data", str(sets), "--out", str(out)]


def in_another_process(*calls: str, nice: int = 0) -> subprocess.Popen:
    """Start Python on calls of `xcos(words)`, which must all return 0.

    What a process can be only once, such as deterministic, needs one of its own. A `nice` one
    gives way to those that a test waits for.
    """
    lines = [
        f"__import__('os').nice({nice})",
        "from xcos_tf.cli.main import main as xcos",
        *(f"code = {call}\nif code: raise SystemExit(code)" for call in calls),
    ]
    return subprocess.Popen(
        [sys.executable, "-c", "\n".join(lines)],
        cwd=SMOKE.parents[1],
        env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def succeed(process: subprocess.Popen) -> str:
    """Wait for a process; returns what it wrote to standard output."""
    try:
        out, errors = process.communicate(timeout=900)
    finally:
        process.kill()
    assert process.returncode == 0, errors
    return out


def checkpoint(run: Path, step: int | None = None) -> dict[str, np.ndarray]:
    """Return the arrays of a run's checkpoint, of the best one when `step` is None."""
    name = "best" if step is None else f"step-{step:09d}"
    return load_file(run / f"checkpoints/{name}.safetensors")


def assert_same(a: dict[str, np.ndarray], b: dict[str, np.ndarray], tolerance: float = 0) -> None:
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], rtol=0, atol=tolerance, err_msg=name)
