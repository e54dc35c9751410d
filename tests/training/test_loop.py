"""The loop, on one and two devices, killed and resumed."""

import json
import os
import signal
import socket
import subprocess
import sys
import time

import numpy as np
import pytest
import tensorflow as tf

from tests.training.drive import dataset_of
from tests.training.small import one, small_batches, small_trainer
from xcos_tf.errors import XcosError
from xcos_tf.training.checkpoints import Checkpoints
from xcos_tf.training.loop import Cadence, train_loop

pytestmark = pytest.mark.slow


def command(out, kind="plain", replicas=1, steps=6, *more):
    words = [out, kind, replicas, steps, *more]
    return [sys.executable, "-m", "tests.training.drive", *map(str, words)]


def start(out, *args):
    """Start it, niced, so that it runs beside what the test does meanwhile; see `finish`."""
    words = ["nice", *command(out, *args)]
    return out, subprocess.Popen(
        words, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )


def finish(started):
    out, process = started
    errors = process.communicate()[1]
    assert process.returncode == 0, errors
    with np.load(out) as arrays:
        return dict(arrays)


def drive(out, *args):
    return finish(start(out, *args))


def assert_close(a, b, tolerance):
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_allclose(a[name], b[name], atol=tolerance, err_msg=name)


@pytest.mark.both_stacks
def test_two_replicas_with_a_sample_a_scaled_loss_and_several_steps_in_a_call(tmp_path):
    """Two replicas with half the batch make the same; of plain steps, test_small_ir says so."""
    # Batch normalisation is live here, and synchronised.
    started = [start(tmp_path / f"{replicas}.npz", "whole", replicas) for replicas in (1, 2)]
    alone, two = map(finish, started)
    assert_close(two, alone, 1e-5)


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("localhost", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


def test_two_workers_make_the_same_and_the_chief_alone_writes(tmp_path):
    workers = [f"localhost:{port}" for port in free_ports(2)]
    alone, runs = start(tmp_path / "alone.npz"), []
    for index in range(2):
        task = {"cluster": {"worker": workers}, "task": {"type": "worker", "index": index}}
        out = tmp_path / f"{index}.npz"
        runs.append(
            subprocess.Popen(
                command(out, "plain", 1, 6, tmp_path / f"checkpoints{index}", 2),
                env={**os.environ, "TF_CONFIG": json.dumps(task)},
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                text=True,
            )
        )
    alone = finish(alone)
    for index, run in enumerate(runs):
        errors = run.communicate(timeout=180)[1]
        assert run.returncode == 0, errors
        with np.load(tmp_path / f"{index}.npz") as arrays:
            assert_close(dict(arrays), alone, 1e-5)
    assert Checkpoints(tmp_path / "checkpoints0").steps() == [2, 4, 6]
    assert Checkpoints(tmp_path / "checkpoints1").steps() == []


@pytest.mark.parametrize(("kind", "every"), [("plain", 1), ("whole", 3)])
def test_killed_at_random_and_resumed_it_ends_the_same_bit_for_bit(tmp_path, chance, kind, every):
    steps, folder = 300, tmp_path / "checkpoints"
    whole = start(tmp_path / "whole.npz", kind, 1, steps)
    kills = 0
    while kills < 3:
        run = subprocess.Popen(
            command(tmp_path / "out.npz", kind, 1, steps, folder, every),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        first = run.stdout.readline()  # it trains; with so many checkpoints, it writes
        assert first, "it ended before it could be killed"
        for _ in range(chance.randint(1, 30)):
            run.stdout.readline()
        time.sleep(chance.random() * 0.02)
        run.kill()
        run.communicate()
        assert run.returncode == -signal.SIGKILL
        kills += 1
    before = Checkpoints(folder).steps()
    assert before and before[-1] < steps
    resumed = drive(tmp_path / "out.npz", kind, 1, steps, folder, every)
    assert_close(resumed, finish(whole), 0)


def test_sigterm_saves_and_ends_well(tmp_path):
    folder = tmp_path / "checkpoints"
    run = subprocess.Popen(
        command(tmp_path / "out.npz", "plain", 1, 5_000, folder),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert run.stdout.readline() == "1\n"
    run.send_signal(signal.SIGTERM)
    rest = run.communicate(timeout=60)[0].split()
    assert run.returncode == 0
    last = int(rest[-1]) if rest else 1
    assert Checkpoints(folder).steps() == [last]
    assert not os.path.exists(tmp_path / "out.npz")


@pytest.mark.both_stacks
def test_a_loss_that_is_not_finite_stops_the_run(tmp_path):
    batches = small_batches(9)
    batches["input"][4] = np.nan
    for every, where, good, said in (
        (2, r"in steps 5 to 6", 2, "remove step-000000004.safetensors, which no good step has"),
        (3, r"in steps 4 to 6", 3, "tensors: give each part a lower"),
        (4, "in steps 5 to 8", 4, "and the same command again, or `optimizers: {clip_norm"),
    ):
        checkpoints = Checkpoints(tmp_path / str(every))
        sentence = rf"nan {where}, learning rates .*(?<=last good).*0{good}\.safe.*{said}"
        with pytest.raises(XcosError, match=sentence):
            train_loop(small_trainer(), dataset_of(batches), checkpoints, 9, 4, Cadence(every))
        assert checkpoints.steps()[-1] == every * (4 // every)


@pytest.mark.both_stacks
def test_steps_in_a_call_are_those_made_one_by_one(tmp_path):
    states, meetings = [], []
    for count in (1, 3):
        trainer, met = small_trainer(), {}
        checkpoints = Checkpoints(tmp_path / str(count))
        train_loop(
            trainer,
            dataset_of(small_batches(7)),
            checkpoints,
            7,
            4,
            Cadence(4),
            steps_per_execution=count,
            meet=met.__setitem__,
            meet_every=[3],
        )
        states.append([np.asarray(weight) for weight in trainer.weights])
        meetings.append(met)
        assert checkpoints.steps() == [4, 7]
    for a, b in zip(*states, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-6)
    assert list(meetings[0]) == [3, 4, 6, 7]
    by_step = small_trainer()
    batches = small_batches(7)
    losses = [float(by_step.make_step(one(batches, index))["total"]) for index in range(7)]
    for met in meetings:
        assert met[3]["total"] == pytest.approx(np.mean(losses[:3]), rel=1e-4)
        assert met[6]["total"] == pytest.approx(np.mean(losses[4:6]), rel=1e-4)


def test_host_and_device_meet_at_meetings_alone(tmp_path, monkeypatch):
    tensor = next(c for c in type(tf.constant(0)).__mro__ if "_numpy" in vars(c))
    read, reads = tensor._numpy, []
    monkeypatch.setattr(tensor, "_numpy", lambda self: reads.append(1) or read(self))

    def reads_of(steps, every):
        meetings = []
        checkpoints = Checkpoints(tmp_path / f"{steps}-{every}")
        build = dataset_of(small_batches(steps))
        reads.clear()
        train_loop(
            *(small_trainer(), build, checkpoints, steps, 4, Cadence(100)),
            meet=lambda step, losses: meetings.append((step, len(losses))),
            meet_every=[every],
        )
        return len(reads), meetings

    few, (first,) = reads_of(3, 12)
    many, _ = reads_of(12, 12)
    often, meetings = reads_of(12, 4)
    assert [step for step, _ in meetings] == [4, 8, 12]
    assert many == few  # however many steps
    assert often == few + 2 * first[1]  # each loss at each meeting


def test_groups_that_cannot_be_shared_are_refused(tmp_path):
    class Three:
        num_replicas_in_sync = 3

    with pytest.raises(XcosError, match="4 groups cannot be shared by 3"):
        checkpoints = Checkpoints(tmp_path)
        train_loop(small_trainer(), dataset_of({}), checkpoints, 1, 4, Cadence(1), Three())


@pytest.mark.both_stacks
def test_xla_makes_the_same_steps(tmp_path):
    states = []
    for jit_compile in (False, True):
        trainer = small_trainer()
        train_loop(
            trainer,
            dataset_of(small_batches(3)),
            Checkpoints(tmp_path / str(jit_compile)),
            3,
            4,
            Cadence(100),
            jit_compile=jit_compile,
        )
        states.append([np.asarray(weight) for weight in trainer.weights])
    for a, b in zip(*states, strict=True):
        np.testing.assert_allclose(a, b, atol=1e-5)
