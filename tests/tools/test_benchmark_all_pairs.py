import re
import subprocess
import sys
from pathlib import Path

from tests.data.records.sources import jpeg

ROOT = Path(__file__).parents[2]


def test_time_memory_and_ratio_are_printed(tmp_path):
    for person in range(3):
        (tmp_path / "faces" / str(person)).mkdir(parents=True)
        for i in range(2):
            face = jpeg(10 * person + i, 112)
            (tmp_path / "faces" / str(person) / f"{i}.jpg").write_bytes(face)
    command = [sys.executable, ROOT / "tools" / "benchmark_all_pairs.py", tmp_path / "faces"]
    kept = tmp_path / "some.templates"
    run = subprocess.run(
        [*command, "--templates", kept, "--scores", "correlated", "--sample", "10"],
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    assert kept.is_file()
    first, second = run.stdout.splitlines()
    assert re.fullmatch(r"templates: [\d.]+ s", first)
    pattern = (
        r"correlated: 15 pairs in ([\d.]+) s \(([\d.]+) s of processors\), [\d,]+ pairs/s, "
        r"peak memory (\d+) MiB; one to one (\d+) s, ratio ([\d.]+)"
    )
    seconds, _, memory, *_ = map(float, re.fullmatch(pattern, second).groups())
    assert seconds < 30
    # TensorFlow alone takes several hundred.
    assert 200 < memory < 2048
