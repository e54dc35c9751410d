"""The log, the table, TensorBoard's events and the bar of a run."""

import argparse
import contextlib
import csv
import errno
import fcntl
import itertools
import os
import re
import shutil
import struct
import sys
import termios
import threading
from datetime import datetime

import numpy as np
import pytest
import tensorflow as tf
from tensorboard.backend.event_processing.plugin_event_accumulator import EventAccumulator

from xcos_tf.cli.streams import ready_streams
from xcos_tf.errors import XcosError
from xcos_tf.training import monitor as monitor_module
from xcos_tf.training.monitor import Monitor

RATES = {"backbone": 1e-3, "head": 1e-2}


class Clock:
    """Stands in for `time.perf_counter`."""

    def __init__(self):
        self.now = 100.0

    def perf_counter(self):
        return self.now


@pytest.fixture(autouse=True)
def streams():
    """Show what the command would."""
    with ready_streams(argparse.Namespace(command="train")):
        yield


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(monitor_module, "time", clock)
    return clock


def meet(monitor, clock, steps, losses=None):
    """Make steps of half a second; meet after each of `steps`."""
    for before, step in itertools.pairwise([monitor._step, *steps]):
        clock.now += 0.5 * (step - before)
        monitor.met(step, losses or {"total": float(step), "learned": step / 10}, RATES)


def lines_of(folder):
    """Return the lines of train.log without their times, which are checked."""
    texts = []
    for line in (folder / "train.log").read_text().splitlines():
        moment, text = line.split(" ", 1)
        assert abs((datetime.now().astimezone() - datetime.fromisoformat(moment)).seconds) < 60
        texts.append(text)
    return texts


def table_of(folder):
    with open(folder / "metrics.csv", newline="") as file:
        return list(csv.DictReader(file))


def events_of(folder):
    """Return the events of each file in turn."""
    files = sorted((folder / "tensorboard").iterdir())
    return [
        [
            tf.compat.v1.Event.FromString(record.numpy())
            for record in tf.data.TFRecordDataset(str(file))
        ]
        for file in files
    ]


def scalars_of(events):
    return {
        (value.tag, event.step): float(tf.make_ndarray(value.tensor))
        for event in events
        for value in event.summary.value
        if value.metadata.plugin_data.plugin_name == "scalars"
    }


def shown(folder, tag):
    """Return (step, value) of the points that TensorBoard has of a curve."""
    points = EventAccumulator(str(folder / "tensorboard")).Reload().Tensors(tag)
    return [(point.step, float(tf.make_ndarray(point.tensor_proto))) for point in points]


def make_older(folder):
    """Give the events an older time, as if the process had taken longer than a second."""
    for path in (folder / "tensorboard").iterdir():
        path.rename(path.with_name(path.name.replace("tfevents.1", "tfevents.0")))


def test_a_run_from_start_to_end(tmp_path, clock, capsys):
    folder = tmp_path / "runs" / "first"
    with Monitor(folder, 6, 40, 0, steps_per_epoch=4) as monitor:
        meet(monitor, clock, [2, 3])
        clock.now += 1000  # a long validation
        monitor.validated(3, {"learned/eer": np.float32(0.25), "patched/eer": 0.5})
        meet(monitor, clock, [4, 6])
        monitor.validated(6, {"learned/eer": 0.125, "patched/eer": 0.5})
        first, second = monitor.history
        assert first == {
            "step": 3,
            "epoch": 0.75,
            "loss/total": float(f"{(2 * 2 + 3) / 3:.6g}"),
            "loss/learned": float(f"{(2 * 0.2 + 0.3) / 3:.6g}"),
            "images_per_second": 80.0,
            "learned/eer": 0.25,
            "patched/eer": 0.5,
        }
        assert second["loss/total"] == float(f"{(4 + 2 * 6) / 3:.6g}")
        assert second["images_per_second"] == 80.0  # without the validation
    rates = "learning rate: backbone 0.001 head 0.01"
    assert lines_of(folder) == [
        "started",
        # What lies before the first meeting is not timed: TensorFlow compiles there.
        f"step 2/6, epoch 0.50, loss: total 2 learned 0.2, {rates}, ? images/s, ETA 00:02",
        f"step 3/6, epoch 0.75, loss: total 3 learned 0.3, {rates}, 80.0 images/s, ETA 00:01",
        "step 3/6, validation: learned/eer 0.25 patched/eer 0.5",
        # Four steps and a validation took 1,002 seconds.
        f"step 4/6, epoch 1.00, loss: total 4 learned 0.4, {rates}, 80.0 images/s, ETA 08:21",
        f"step 6/6, epoch 1.50, loss: total 6 learned 0.6, {rates}, 80.0 images/s, ETA 00:00",
        "step 6/6, validation: learned/eer 0.125 patched/eer 0.5",
    ]
    # Where there is no terminal, the same lines are shown.
    assert capsys.readouterr().err == (folder / "train.log").read_text()
    read = [{name: float(cell) for name, cell in row.items()} for row in table_of(folder)]
    assert read == monitor.history
    assert next(iter(read[0])) == "step"
    _, events = events_of(folder)  # after the mark of the start
    scalars = scalars_of(events)
    assert scalars["losses/total", 4] == 4
    assert scalars["learning_rate/head", 2] == pytest.approx(0.01)
    assert scalars["images_per_second", 6] == 80
    assert scalars["validation/learned/eer", 6] == 0.125
    assert {step for tag, step in scalars if tag == "losses/learned"} == {2, 3, 4, 6}


def test_a_resumed_run_drops_what_is_done_again(tmp_path, clock):
    with pytest.raises(KeyboardInterrupt), Monitor(tmp_path, 6, 40, 0) as monitor:
        for step in (1, 2, 3, 4):
            meet(monitor, clock, [step])
            monitor.validated(step, {"learned/eer": 1 / step})
        raise KeyboardInterrupt
    assert lines_of(tmp_path)[-1] == "stopped at step 4/6"
    make_older(tmp_path)
    monitor = Monitor(tmp_path, 6, 40, 2)
    assert [row["step"] for row in monitor.history] == [1, 2]
    assert len(table_of(tmp_path)) == 4  # nothing happens before the start
    with monitor:
        assert [row["step"] for row in table_of(tmp_path)] == ["1", "2"]
        assert min(monitor.history, key=lambda row: row["learned/eer"])["step"] == 2
        assert type(monitor.history[0]["step"]) is int
        meet(monitor, clock, [3])
        monitor.validated(3, {"learned/eer": 0.125, "new": 7.0})
    assert lines_of(tmp_path)[-4:] == [
        "resumed at step 2",
        "step 3/6, loss: total 3 learned 0.3, learning rate: backbone 0.001 head 0.01, "
        "? images/s, ETA 00:01",
        "step 3/6, validation: learned/eer 0.125 new 7",
        "stopped at step 3/6",
    ]
    rows = table_of(tmp_path)
    assert [row["new"] for row in rows] == ["", "", "7.0"]
    assert rows[2]["images_per_second"] == ""  # its only step was the first, which is not timed
    assert float(rows[2]["loss/total"]) == 3
    history = Monitor(tmp_path, 6, 40, 3).history
    assert history == monitor.history
    assert "new" not in history[1] and history[2]["new"] == 7
    # TensorBoard itself shows each step once.
    assert shown(tmp_path, "losses/total") == [(1, 1), (2, 2), (3, 3)]
    assert shown(tmp_path, "validation/learned/eer") == [(1, 1), (2, 0.5), (3, 0.125)]


def test_a_run_without_a_checkpoint_starts_anew(tmp_path, clock):
    with Monitor(tmp_path, 6, 40, 0) as monitor:
        monitor.validated(0, {"learned/eer": 0.75})
        meet(monitor, clock, [1])
        monitor.validated(1, {"learned/eer": 0.5})
    make_older(tmp_path)
    with Monitor(tmp_path, 6, 40, 0) as monitor:
        assert monitor.history == [{"step": 0, "learned/eer": 0.75}]
        monitor.validated(0, {"learned/eer": 0.25})
    assert shown(tmp_path, "validation/learned/eer") == [(0, 0.25)]


def test_a_validation_is_done_again_in_place(tmp_path, clock):
    with Monitor(tmp_path, 6, 40, 0) as monitor:
        meet(monitor, clock, [1])
        monitor.validated(1, {"learned/eer": 0.5})
    with Monitor(tmp_path, 6, 40, 1) as monitor:
        monitor.validated(1, {"learned/eer": 0.25})  # no step was made, so no loss is known
    assert table_of(tmp_path) == [{"step": "1", "learned/eer": "0.25"}]


def test_pictures_come_back(tmp_path, random, clock):
    picture = random.integers(256, size=(5, 7, 3), dtype=np.uint8)
    with Monitor(tmp_path, 3, 40, 0) as monitor:
        meet(monitor, clock, [1, 2])
        clock.now += 100
        monitor.pictures(2, {"pairs/same": picture})
        meet(monitor, clock, [3])
    _, events = events_of(tmp_path)
    values = [(event.step, value) for event in events for value in event.summary.value]
    ((step, value),) = [x for x in values if x[1].metadata.plugin_data.plugin_name == "images"]
    width, height, encoded = tf.make_ndarray(value.tensor)
    assert (step, value.tag, int(width), int(height)) == (2, "pairs/same", 7, 5)
    np.testing.assert_array_equal(tf.io.decode_png(encoded), picture)
    assert scalars_of(events)["images_per_second", 3] == 80  # the pause does not count


@contextlib.contextmanager
def terminal(monkeypatch):
    """Make standard error a terminal of 120 columns; give a list that gets what it was sent."""
    master, slave = os.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 120, 0, 0))
    sent = []

    def read():
        with contextlib.suppress(OSError):  # the other end is closed
            while piece := os.read(master, 4096):
                sent.append(piece.decode())

    reader = threading.Thread(target=read)
    reader.start()
    with os.fdopen(slave, "w", encoding="utf-8") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        try:
            yield sent
        finally:
            monkeypatch.undo()
    reader.join()
    os.close(master)


def test_a_terminal_shows_a_bar(tmp_path):
    patch = pytest.MonkeyPatch()
    with terminal(patch) as sent:
        assert sys.stderr.isatty()
        clock = Clock()
        patch.setattr(monitor_module, "time", clock)
        with Monitor(tmp_path, 400, 40, 100) as monitor:
            meet(monitor, clock, [101, 102, 103])
            monitor.validated(103, {"learned/eer": 0.25})
            meet(monitor, clock, [104])
    shown = "".join(sent)
    bars = re.findall(r"train: +(\d+)%\|.*?\| (\d+)/400 \[.*?\]", shown)
    assert bars[0] == ("25", "100") and bars[-1] == ("26", "104")
    assert "loss 104]" in shown and "resumed at step 100" in shown
    assert "step 103/400, validation: learned/eer 0.25" in shown
    assert "learning rate" not in shown  # these lines are for the log
    assert [line.split(",")[0] for line in lines_of(tmp_path)] == [
        "resumed at step 100",
        "step 101/400",
        "step 102/400",
        "step 103/400",
        "step 103/400",
        "step 104/400",
        "stopped at step 104/400",
    ]


def test_a_terminal_that_is_closed_does_not_end_the_run(tmp_path, clock, monkeypatch):
    master, slave = os.openpty()
    with open(slave, "w", buffering=1, closefd=False) as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with Monitor(tmp_path, 100, 40, 0) as monitor:
            os.close(master)
            for step in range(1, 4):
                meet(monitor, clock, [step])
                monitor.validated(step, {"learned/eer": 0.25})
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            stream.close()
    os.close(slave)
    assert len(monitor.history) == 3
    assert lines_of(tmp_path)[-1] == "stopped at step 3/100"


def start(folder):
    return Monitor(folder, 6, 40, 0)


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for folder, reason in (("file", "File exists"), ("file/run", "Not a directory")):
        with (
            pytest.raises(XcosError, match=rf"/{folder} cannot be written \({reason}\)"),
            start(tmp_path / folder),
        ):
            pass


@pytest.mark.parametrize("name", ["train.log", "metrics.csv"])
def test_a_full_disk_is_told(tmp_path, clock, name, monkeypatch):
    def full(*args):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with pytest.raises(XcosError) as caught, start(tmp_path) as monitor:
        if name == "metrics.csv":
            monkeypatch.setattr(monitor_module, "write_csv", full)
        else:
            (tmp_path / name).unlink()
            (tmp_path / name).symlink_to("/dev/full")
        meet(monitor, clock, [1])
        monitor.validated(1, {"learned/eer": 0.25})
    assert str(caught.value) == (
        f"{tmp_path / name} cannot be written (No space left on device); make sure that its folder "
        "can be and that the disk has room, and start the same command again"
    )
    assert not (tmp_path / "metrics.csv").exists()


def test_a_folder_that_has_gone_is_told(tmp_path, clock):
    folder = tmp_path / "run"
    with (
        pytest.raises(XcosError, match=r"train\.log cannot be written \(No such file"),
        start(folder) as monitor,
    ):
        shutil.rmtree(folder)
        meet(monitor, clock, [1])


def test_the_error_that_ends_a_run_is_not_hidden_by_one_of_writing(tmp_path, clock):
    with pytest.raises(ZeroDivisionError), start(tmp_path / "run") as monitor:
        meet(monitor, clock, [1])
        shutil.rmtree(tmp_path / "run")
        raise ZeroDivisionError


@pytest.mark.parametrize(
    "content", ["step,a\n1,x\n", "a,b\n1,2\n", "step,a\n1,2,3\n", "step,a\n1\n", "step\nnan\n"]
)
def test_a_table_of_something_else_is_refused(tmp_path, content):
    (tmp_path / "metrics.csv").write_text(content)
    with pytest.raises(XcosError, match=r"metrics\.csv cannot be read .* move it away"):
        start(tmp_path)
    assert (tmp_path / "metrics.csv").read_text() == content
