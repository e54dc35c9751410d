"""The log, the table, TensorBoard's events and the bar of a run."""

import contextlib
import csv
import fcntl
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


@pytest.fixture
def clock(monkeypatch):
    clock = Clock()
    monkeypatch.setattr(monitor_module, "time", clock)
    return clock


def make_steps(monitor, clock, steps, seconds=0.5):
    for step in steps:
        clock.now += seconds
        monitor.after_step(step, {"total": float(step), "learned": step / 10}, lambda: RATES)


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
        (value.tag, event.step): value.simple_value
        for event in events
        for value in event.summary.value
        if value.HasField("simple_value")
    }


def test_a_run_from_start_to_end(tmp_path, clock, capsys):
    folder = tmp_path / "runs" / "first"
    with Monitor(folder, 6, 40, 0, log_every=2, steps_per_epoch=4) as monitor:
        make_steps(monitor, clock, [1, 2, 3])
        clock.now += 1000  # a long validation
        monitor.validated(3, {"learned/eer": np.float32(0.25), "patched/eer": 0.5})
        make_steps(monitor, clock, [4, 5, 6])
        monitor.validated(6, {"learned/eer": 0.125, "patched/eer": 0.5})
        assert monitor.history == [
            {
                "step": 3,
                "epoch": 0.75,
                "loss/total": 2.0,
                "loss/learned": 0.2,
                "images_per_second": 80.0,
                "learned/eer": 0.25,
                "patched/eer": 0.5,
            },
            {
                "step": 6,
                "epoch": 1.5,
                "loss/total": 5.0,
                "loss/learned": 0.5,
                "images_per_second": 80.0,
                "learned/eer": 0.125,
                "patched/eer": 0.5,
            },
        ]
    rates = "learning rate: backbone 0.001 head 0.01, 80.0 images/s, ETA"
    assert lines_of(folder) == [
        "started",
        # The first step is not timed: TensorFlow compiles in it.
        f"step 2/6, epoch 0.50, loss: total 1.5 learned 0.15, {rates} 00:02",
        "step 3/6, validation: learned/eer 0.25 patched/eer 0.5",
        # Each step took half a second, and a third of the validation.
        f"step 4/6, epoch 1.00, loss: total 3.5 learned 0.35, {rates} 08:21",
        f"step 6/6, epoch 1.50, loss: total 5.5 learned 0.55, {rates} 00:00",
        "step 6/6, validation: learned/eer 0.125 patched/eer 0.5",
    ]
    # Where there is no terminal, the same lines are shown.
    shown = capsys.readouterr().err
    assert shown == (folder / "train.log").read_text()
    read = [{name: float(cell) for name, cell in row.items()} for row in table_of(folder)]
    assert read == monitor.history
    assert next(iter(read[0])) == "step"
    (events,) = events_of(folder)
    assert events[0].file_version == "brain.Event:2"
    scalars = scalars_of(events)
    assert scalars["losses/total", 4] == 3.5
    assert scalars["learning_rate/head", 2] == pytest.approx(0.01)
    assert scalars["images_per_second", 6] == 80
    assert scalars["validation/learned/eer", 6] == 0.125
    assert {step for tag, step in scalars if tag == "losses/learned"} == {2, 4, 6}
    assert all(abs(event.wall_time - datetime.now().timestamp()) < 60 for event in events)


def test_a_resumed_run_drops_what_is_done_again(tmp_path, clock):
    with pytest.raises(KeyboardInterrupt), Monitor(tmp_path, 6, 40, 0, log_every=1) as monitor:
        for step in (1, 2, 3, 4):
            make_steps(monitor, clock, [step])
            monitor.validated(step, {"learned/eer": 1 / step})
        raise KeyboardInterrupt
    assert lines_of(tmp_path)[-1] == "stopped at step 4/6"
    monitor = Monitor(tmp_path, 6, 40, 2)
    assert [row["step"] for row in monitor.history] == [1, 2]
    assert len(table_of(tmp_path)) == 4  # nothing happens before the start
    with monitor:
        assert [row["step"] for row in table_of(tmp_path)] == ["1", "2"]
        assert min(monitor.history, key=lambda row: row["learned/eer"])["step"] == 2
        assert type(monitor.history[0]["step"]) is int
        make_steps(monitor, clock, [3])
        monitor.validated(3, {"learned/eer": 0.125, "new": 7.0})
    assert lines_of(tmp_path)[-4:] == [
        "resumed at step 2",
        "step 3/6, validation: learned/eer 0.125 new 7",
        "step 3/6, loss: total 3 learned 0.3, learning rate: backbone 0.001 head 0.01, "
        "? images/s, ETA ?",
        "stopped at step 3/6",
    ]
    rows = table_of(tmp_path)
    assert [row["new"] for row in rows] == ["", "", "7.0"]
    assert rows[2]["images_per_second"] == ""  # its only step was the first, which is not timed
    assert float(rows[2]["loss/total"]) == 3
    history = Monitor(tmp_path, 6, 40, 3).history
    assert history == monitor.history
    assert "new" not in history[1] and history[2]["new"] == 7
    before, after = events_of(tmp_path)
    started = tf.compat.v1.SessionLog.START
    assert [(e.step, e.session_log.status) for e in (before[1], after[1])] == [
        (1, started),
        (3, started),  # TensorBoard leaves out what older files have of this step and later
    ]
    assert scalars_of(after)["validation/new", 3] == 7


def test_a_run_without_a_checkpoint_starts_anew(tmp_path, clock):
    with Monitor(tmp_path, 6, 40, 0) as monitor:
        make_steps(monitor, clock, [1])
        monitor.validated(1, {"learned/eer": 0.5})
    with Monitor(tmp_path, 6, 40, 0) as monitor:
        assert monitor.history == []
        assert not (tmp_path / "metrics.csv").exists()


def test_a_validation_is_done_again_in_place(tmp_path, clock):
    with Monitor(tmp_path, 6, 40, 0) as monitor:
        make_steps(monitor, clock, [1])
        monitor.validated(1, {"learned/eer": 0.5})
    with Monitor(tmp_path, 6, 40, 1) as monitor:
        monitor.validated(1, {"learned/eer": 0.25})  # no step was made, so no loss is known
    assert table_of(tmp_path) == [{"step": "1", "learned/eer": "0.25"}]


def test_pictures_come_back(tmp_path, random, clock):
    picture = random.integers(256, size=(5, 7, 3), dtype=np.uint8)
    with Monitor(tmp_path, 3, 40, 0, log_every=3) as monitor:
        make_steps(monitor, clock, [1, 2])
        clock.now += 100
        monitor.pictures(2, {"pairs/same": picture})
        make_steps(monitor, clock, [3])
        with pytest.raises(ValueError, match=r"uint8 arrays.*Received: a=float64 \(5, 7, 3\)"):
            monitor.pictures(3, {"a": picture / 255})
    (events,) = events_of(tmp_path)
    event = next(e for e in events if e.summary.value and e.summary.value[0].HasField("image"))
    value = event.summary.value[0]
    assert (event.step, value.tag, value.image.height, value.image.width) == (2, "pairs/same", 5, 7)
    np.testing.assert_array_equal(tf.io.decode_png(value.image.encoded_image_string), picture)
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


def test_a_terminal_shows_a_bar_with_the_time_left(tmp_path):
    patch = pytest.MonkeyPatch()
    with terminal(patch) as sent:
        assert sys.stderr.isatty()
        clock = Clock()
        patch.setattr(monitor_module, "time", clock)
        with Monitor(tmp_path, 400, 40, 100, log_every=2) as monitor:
            make_steps(monitor, clock, [101, 102, 103])
            monitor.validated(103, {"learned/eer": 0.25})
            make_steps(monitor, clock, [104])
    shown = "".join(sent)
    bars = re.findall(r"train: +(\d+)%\|.*?\| (\d+)/400 \[[\d:]+(.*?)\]", shown)
    assert bars[0][:2] == ("25", "100")
    # 296 steps of half a second.
    assert bars[-1] == ("26", "104", ", ETA 02:28, loss 104, 80.0 images/s")
    assert "resumed at step 100" in shown
    assert "step 103/400, validation: learned/eer 0.25" in shown
    assert "learning rate" not in shown  # these lines are for the log
    assert [line.split(",")[0] for line in lines_of(tmp_path)] == [
        "resumed at step 100",
        "step 102/400",
        "step 103/400",
        "step 104/400",
        "stopped at step 104/400",
    ]


def test_a_terminal_that_is_closed_does_not_end_the_run(tmp_path, clock, monkeypatch):
    master, slave = os.openpty()
    with open(slave, "w", buffering=1, closefd=False) as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        with Monitor(tmp_path, 100, 40, 0, log_every=1) as monitor:
            os.close(master)
            for step in range(1, 4):
                make_steps(monitor, clock, [step])
                monitor.validated(step, {"learned/eer": 0.25})
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            stream.close()
    os.close(slave)
    assert len(monitor.history) == 3
    assert lines_of(tmp_path)[-1] == "stopped at step 3/100"


def start(folder):
    return Monitor(folder, 6, 40, 0, log_every=1)


def test_a_folder_that_cannot_be_is_refused(tmp_path):
    (tmp_path / "file").write_text("")
    for folder, reason in (("file", "File exists"), ("file/run", "Not a directory")):
        with (
            pytest.raises(XcosError, match=rf"/{folder} cannot be written \({reason}\)"),
            start(tmp_path / folder),
        ):
            pass


@pytest.mark.parametrize("name", ["train.log", ".metrics.csv.part"])
def test_a_full_disk_is_told(tmp_path, clock, name):
    with pytest.raises(XcosError) as caught, start(tmp_path) as monitor:
        (tmp_path / name).unlink(missing_ok=True)
        (tmp_path / name).symlink_to("/dev/full")
        make_steps(monitor, clock, [1])
        monitor.validated(1, {"learned/eer": 0.25})
    assert str(caught.value) == (
        f"{tmp_path / name.removeprefix('.').removesuffix('.part')} cannot be written (No space "
        "left on device); make sure that its folder can be and that the disk has room, and start "
        "the same command again"
    )
    assert not (tmp_path / "metrics.csv").exists()


def test_a_folder_that_has_gone_is_told(tmp_path, clock):
    folder = tmp_path / "run"
    with (
        pytest.raises(XcosError, match=r"train\.log cannot be written \(No such file"),
        start(folder) as monitor,
    ):
        shutil.rmtree(folder)
        make_steps(monitor, clock, [1])
    with (
        pytest.raises(XcosError, match=r"tfevents.* cannot be written \(No such file"),
        start(folder) as monitor,
    ):
        shutil.rmtree(folder / "tensorboard")
        make_steps(monitor, clock, [1])


def test_the_error_that_ends_a_run_is_not_hidden_by_one_of_writing(tmp_path, clock):
    with pytest.raises(ZeroDivisionError), start(tmp_path / "run") as monitor:
        make_steps(monitor, clock, [1])
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
