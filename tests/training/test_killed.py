"""A run that is killed at random moments, or told to stop, ends like one that was left alone."""

import json
import signal
import time

import pytest

from tests.training.running import (
    STEPS,
    assert_same,
    checkpoint,
    in_another_process,
    succeed,
    train_command,
)
from xcos_tf.training.checkpoints import Checkpoints
from xcos_tf.training.monitor import MetricsTable

pytestmark = pytest.mark.slow


def validations(run):
    """Return what metrics.csv says that does not depend on time or on where a run was taken up."""
    return [
        {k: v for k, v in row.items() if k != "images_per_second" and not k.startswith("loss/")}
        for row in MetricsTable(run / "metrics.csv", STEPS).rows
    ]


def test_killed_interrupted_and_told_to_stop(started, sets, tmp_path, chance, request):
    out = tmp_path / "out"
    words = train_command(started[0] / "run.yaml", sets, out)
    folder = Checkpoints(out / "checkpoints")
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        last = max(folder.steps(), default=0)
        wanted = last + chance.randint(1, 3)
        process = in_another_process(f"xcos({words})")
        try:
            while max(folder.steps(), default=0) < wanted:
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.001)
            time.sleep(0.1 * chance.random())
            process.send_signal(number)
            said, errors = process.communicate(timeout=300)
        finally:
            process.kill()
        made = folder.steps()[-1]
        assert wanted <= made < STEPS
        if number == signal.SIGKILL:
            assert process.returncode == -number
        elif number == signal.SIGINT:
            assert process.returncode == 130 and errors.endswith("xcos train: interrupted\n"), (
                errors
            )
    assert process.returncode == 143, errors
    stopped = f"stopped after {made} of {STEPS} steps; the same command goes on from there\n"
    assert said == stopped
    assert succeed(in_another_process(f"xcos({words})")) == f"wrote {out / 'preset'}\n"
    alone = request.getfixturevalue("alone")  # it ran at the same time
    assert_same(checkpoint(out, STEPS), checkpoint(alone / "alone", STEPS))
    assert_same(checkpoint(out), checkpoint(alone / "alone"))
    assert validations(out) == validations(alone / "alone")
    for name in ("weights.safetensors", "config.json"):
        ours, theirs = ((run / "preset" / name).read_bytes() for run in (out, alone / "alone"))
        assert ours == theirs
    assert len(json.loads((out / "run.json").read_text())["resumes"]) == 3
    log = (out / "train.log").read_text()
    assert log.count("resumed at step") == 3 and f"stopped at step {made}/{STEPS}" in log
    assert not list((out / "checkpoints").glob(".*"))
