"""What one sees of a training run, while it goes on and afterwards."""

import csv
import io
import os
import time
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import numpy as np
import tensorflow as tf

from xcos_tf.errors import XcosError
from xcos_tf.files import read_bytes, write_csv
from xcos_tf.progress import Bar, log
from xcos_tf.training.record import writing

_UNREADABLE = (
    *(OSError, csv.Error, ArithmeticError),
    *(ValueError, LookupError, TypeError, AttributeError),
)


class MetricsTable:
    """A run's metrics.csv: its rows, in a file that is rewritten, whole, with each that is added.

    Attributes:
        path: of the file.
        rows: from the first step to the last; "step" is an int and the rest are floats. A row
            lacks what was not known of it; in the file that cell is empty.
    """

    def __init__(self, path: Path, last: int):
        """Read the rows, if the file is there, and forget those of steps after `last`.

        Raises XcosError if it cannot be read, or holds something else.
        """
        self.path = path
        try:
            text = io.StringIO(read_bytes(path).decode(), newline="")
            rows = [_parse(cells) for cells in csv.DictReader(text)]
        except (FileNotFoundError, NotADirectoryError):
            rows = []
        except _UNREADABLE as error:
            raise XcosError(
                f"{path} cannot be read ({error!r}); move it away, or start a new folder"
            ) from None
        self.rows = [row for row in rows if row["step"] <= last]

    def add(self, row: dict[str, float]) -> None:
        """Append a row, in place of one of the same step, and save; its columns may be new."""
        self.rows = [old for old in self.rows if old["step"] != row["step"]] + [row]
        self.save()

    def save(self) -> None:
        """Replace the file by the rows; without any, remove it.

        Raises XcosError if it cannot be written; then it is as it was before.
        """
        columns = list(dict.fromkeys(name for row in self.rows for name in row))
        cells = ([row.get(name) for name in columns] for row in self.rows)
        with writing(self.path):
            if columns:
                write_csv(self.path, columns, cells)
            else:
                self.path.unlink(missing_ok=True)


class Monitor:
    """Shows a run by a bar and notes, and writes three things into its folder.

    train.log     a line for each meeting of the loop, for each validation, and for each start
    metrics.csv   a row for each validation
    tensorboard/  the same numbers, and pictures

    A terminal has a progress bar; anything else gets the log's lines. Use it in a `with` statement,
    in one process a run (the chief's). Every method, and the start and the end of the `with` block,
    may raise:

        XcosError: the disk is full, or the folder is gone or may not be written to.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        steps: int,
        faces_per_step: int,
        start: int,
        steps_per_epoch: float | None = None,
    ):
        """Read what the folder holds of a run that is taken up again after `start` steps.

        What it holds of later steps, which will be made again, is dropped. The faces of a step are
        those of all replicas; `steps_per_epoch` is given if epochs are to be told.

        Raises:
            XcosError: metrics.csv is there but cannot be read.
        """
        self.folder = Path(folder)
        self._steps, self._faces, self._start = steps, faces_per_step, start
        self._steps_per_epoch = steps_per_epoch
        self._table = MetricsTable(self.folder / "metrics.csv", last=start)
        self._step, self._moment = start, None  # of the last meeting
        self._since_row = Counter()

    @property
    def history(self) -> list[dict[str, float]]:
        """The rows of metrics.csv: "step" is an int and the rest are floats."""
        return [dict(row) for row in self._table.rows]

    def __enter__(self) -> "Monitor":
        place = self.folder / "tensorboard"
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            place.mkdir(exist_ok=True)
            _mark_start(place, self._start)
            self._writer = tf.summary.create_file_writer(str(place))
        self._table.save()
        self._bar = Bar(
            total=self._steps, initial=self._start, desc="train", disable=None, dynamic_ncols=True
        )
        self._began = time.perf_counter()
        self._say(f"resumed at step {self._start}" if self._start else "started")
        return self

    def __exit__(self, kind, error, traceback) -> None:
        try:
            if self._step < self._steps:
                self._say(f"stopped at step {self._step}/{self._steps}")
            with writing(self.folder / "tensorboard"):
                self._writer.close()
        except XcosError:
            if error is None:  # else what ended the run matters more
                raise
        finally:
            with suppress(OSError):
                self._bar.close()

    def met(self, step: int, losses: Mapping[str, float], rates: Mapping[str, float]) -> None:
        """Take note of the steps since the last meeting.

        `losses` are their means over these steps; `rates` go by the name of what they train.
        """
        made, now = step - self._step, time.perf_counter()
        since = {f"loss/{name}": value * made for name, value in losses.items()}
        if self._moment is not None:  # TensorFlow compiles before the first meeting
            since |= {"timed": made, "seconds": now - self._moment}
        self._since_row.update({"steps": made, **since})
        speed = made * self._faces / (now - self._moment) if self._moment is not None else None
        self._step, self._moment = step, now
        # If steps, and what lies between them, take as long as before.
        left = (self._steps - step) * (now - self._began) / (step - self._start)
        eta = Bar.format_interval(left)
        where = f"step {step}/{self._steps}"
        if self._steps_per_epoch:
            where += f", epoch {step / self._steps_per_epoch:.2f}"
        self._say(
            f"{where}, loss: {_listed(losses)}, learning rate: {_listed(rates)}, "
            f"{f'{speed:,.1f}' if speed else '?'} images/s, ETA {eta}",
            over_bar=False,
        )
        with suppress(OSError):  # a terminal that has been closed does not end the run
            self._bar.set_postfix_str(f"loss {losses['total']:.4g}", refresh=False)
            self._bar.update(made)
        values = {f"losses/{name}": value for name, value in losses.items()}
        values |= {f"learning_rate/{name}": rate for name, rate in rates.items()}
        self._scalars(values | ({"images_per_second": speed} if speed else {}))

    def validated(self, step: int, results: Mapping[str, float]) -> None:
        """Take note of a validation, whose results, such as "learned/eer", become columns."""
        results = {name: float(value) for name, value in results.items()}
        row, since = {"step": step}, self._since_row
        if self._steps_per_epoch:
            row["epoch"] = round(step / self._steps_per_epoch, 4)
        row |= {k: float(f"{v / since['steps']:.6g}") for k, v in since.items() if "loss/" in k}
        if since["timed"]:
            row["images_per_second"] = round(since["timed"] * self._faces / since["seconds"], 2)
        self._table.add(row | results)
        self._scalars({f"validation/{name}": value for name, value in results.items()}, step)
        self._say(f"step {step}/{self._steps}, validation: {_listed(results)}")
        self._since_row.clear()
        self._end_pause()

    def pictures(self, step: int, images: Mapping[str, np.ndarray]) -> None:
        """Show pictures, uint8 (h, w, 3) RGB by name, in TensorBoard."""
        with writing(self.folder / "tensorboard"), self._writer.as_default():
            for name, image in images.items():
                tf.summary.image(name, image[np.newaxis], step=step)
            self._writer.flush()
        self._end_pause()

    def _scalars(self, values: Mapping[str, float], step: int | None = None) -> None:
        with writing(self.folder / "tensorboard"), self._writer.as_default():
            for name, value in values.items():
                tf.summary.scalar(name, value, step=self._step if step is None else step)
            self._writer.flush()

    def _say(self, text: str, over_bar: bool = True) -> None:
        line = f"{datetime.now().astimezone().isoformat(timespec='seconds')} {text}"
        path = self.folder / "train.log"
        with writing(path), open(path, "a", encoding="utf-8") as file:
            file.write(f"{line}\n")
        if self._bar.disable or over_bar:
            log.info(line)

    def _end_pause(self) -> None:
        if self._moment is not None:
            self._moment = time.perf_counter()


def _mark_start(place: Path, start: int) -> None:
    """Tell TensorBoard to leave out what older files have of the steps that follow.

    It reads a folder's files in the order of their names, which begin with the time, and takes
    every mark but the folder's first for a restart.
    """
    now = datetime.now().timestamp()
    status = tf.compat.v1.SessionLog(status=tf.compat.v1.SessionLog.START)
    first = start + 1 if start else 0  # step 0 has a validation, which is made again
    version = tf.compat.v1.Event(wall_time=now, file_version="brain.Event:2")
    mark = tf.compat.v1.Event(wall_time=now, step=first, session_log=status)
    with tf.io.TFRecordWriter(str(place / f"events.out.tfevents.{int(now)}")) as writer:
        for event in (version, mark):
            writer.write(event.SerializeToString())


def _listed(values: Mapping[str, float]) -> str:
    return " ".join(f"{name} {float(value):.4g}" for name, value in values.items())


def _parse(cells: dict[str, str]) -> dict[str, float]:
    row = {name: float(cell) for name, cell in cells.items() if cell != ""}
    return {**row, "step": int(row["step"])}
