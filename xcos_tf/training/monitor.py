"""What one sees of a training run, while it goes on and afterwards."""

import os
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

import numpy as np
from tqdm import tqdm

from xcos_tf.errors import XcosError
from xcos_tf.training.console import Console
from xcos_tf.training.event_file import EventFile
from xcos_tf.training.interval import Interval
from xcos_tf.training.metrics_table import MetricsTable
from xcos_tf.training.run_files import writing


class Monitor:
    """Shows a run on standard error, and writes three things into its folder.

    train.log     a line every few steps, for each validation, and for each start
    metrics.csv   a row for each validation
    tensorboard/  the same numbers, and pictures

    Use it in a `with` statement, in one process a run (the chief's). Every method, and the start
    and the end of the `with` block, may raise:
        XcosError: a file cannot be written, because the disk is full or the folder is gone.

    Speeds leave out the first step, in which TensorFlow compiles, and what happens between
    `after_step` and the end of `validated` or `pictures`.
    """

    def __init__(
        self,
        folder: str | os.PathLike,
        steps: int,
        faces_per_step: int,
        start: int,
        log_every: int = 50,
        steps_per_epoch: float | None = None,
    ):
        """Look at what the folder holds; nothing is written yet.

        Args:
            folder: of the run; made if it is not there.
            steps: of the whole run.
            faces_per_step: in a batch, over all replicas.
            start: steps made before; what the folder holds of later steps, which will be made
                again, is dropped.
            log_every: steps from one line to the next.
            steps_per_epoch: if epochs are to be told.

        Raises:
            XcosError: metrics.csv is there but cannot be read.
        """
        self.folder = Path(folder)
        self._steps, self._faces, self._start = steps, faces_per_step, start
        self._log_every, self._steps_per_epoch = log_every, steps_per_epoch
        self._log = self.folder / "train.log"
        self._table = MetricsTable(self.folder / "metrics.csv", last=start)
        self._step, self._rates = start, dict
        self._run, self._since_line, self._since_row = Interval(), Interval(), Interval()
        self._moment: float | None = None  # at which the step that is being made was begun
        self._paused = 0.0

    @property
    def history(self) -> list[dict[str, float]]:
        """The rows of metrics.csv: "step" is an int and the rest are floats."""
        return [dict(row) for row in self._table.rows]

    def __enter__(self) -> "Monitor":
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        self._table.save()
        self._events = EventFile(self.folder / "tensorboard", self._start)
        self._console = Console(self._steps, self._start)
        self._say(f"resumed at step {self._start}" if self._start else "started")
        return self

    def __exit__(self, kind, error, traceback) -> None:
        try:
            if self._step < self._steps:
                if self._since_line.steps:
                    self._report()
                self._say(f"stopped at step {self._step}/{self._steps}")
            self._events.close()
        except XcosError:
            if error is None:  # else what ended the run matters more
                raise
        finally:
            self._console.close()

    def after_step(
        self, step: int, losses: Mapping[str, float], rates: Callable[[], Mapping[str, float]]
    ) -> None:
        """Take note of a step.

        Args:
            step: steps made, this one included.
            losses: of this step, by name.
            rates: gives the learning rates, by the name of what they train; asked where they are
                written down.
        """
        now = time.perf_counter()
        seconds = None if self._moment is None else now - self._moment
        self._moment = now
        for interval in (self._run, self._since_line, self._since_row):
            interval.add(losses, seconds)
        self._step, self._rates = step, rates
        total = f"loss {losses['total']:.4g}, " if "total" in losses else ""
        speed = self._speed(self._since_line) or self._speed(self._run)
        self._console.advance(f"ETA {self._eta()}, {total}{_shown(speed)} images/s")
        if step % self._log_every == 0 or step == self._steps:
            self._report()

    def validated(self, step: int, results: Mapping[str, float]) -> None:
        """Take note of a validation.

        Args:
            step: steps made.
            results: by flat names, such as "learned/eer"; they become columns.
        """
        results = {name: float(value) for name, value in results.items()}
        row = {"step": step}
        if self._steps_per_epoch:
            row["epoch"] = round(step / self._steps_per_epoch, 4)
        row |= {f"loss/{name}": value for name, value in self._since_row.losses.items()}
        speed = self._speed(self._since_row)
        if speed:
            row["images_per_second"] = round(speed, 2)
        self._table.add(row | results)
        self._events.scalars(step, {f"validation/{name}": x for name, x in results.items()})
        self._say(f"step {step}/{self._steps}, validation: {_listed(results)}")
        self._since_row = Interval()
        self._end_pause()

    def pictures(self, step: int, images: Mapping[str, np.ndarray]) -> None:
        """Show pictures in TensorBoard.

        Args:
            step: steps made.
            images: uint8 (h, w, 3) RGB, by name.

        Raises:
            ValueError: one is something else.
        """
        self._events.images(step, images)
        self._end_pause()

    def _report(self) -> None:
        """Write what the steps since the last line were like."""
        losses, speed = self._since_line.losses, self._speed(self._since_line)
        where = f"step {self._step}/{self._steps}"
        if self._steps_per_epoch:
            where += f", epoch {self._step / self._steps_per_epoch:.2f}"
        rates = self._rates()
        self._say(
            f"{where}, loss: {_listed(losses)}, learning rate: {_listed(rates)}, "
            f"{_shown(speed)} images/s, ETA {self._eta()}",
            over_bar=False,
        )
        values = {f"losses/{name}": value for name, value in losses.items()}
        values |= {f"learning_rate/{name}": float(rate) for name, rate in rates.items()}
        if speed:
            values["images_per_second"] = speed
        self._events.scalars(self._step, values)
        self._since_line = Interval()

    def _say(self, text: str, over_bar: bool = True) -> None:
        line = f"{datetime.now().astimezone().isoformat(timespec='seconds')} {text}"
        with writing(self._log), open(self._log, "a", encoding="utf-8") as log:
            log.write(f"{line}\n")
        self._console.line(line, over_bar)

    def _speed(self, interval: Interval) -> float | None:
        seconds = interval.seconds_per_step
        return self._faces / seconds if seconds else None

    def _eta(self) -> str:
        """Return the time left, if steps and what lies between them take as long as before."""
        seconds = self._run.seconds_per_step
        if seconds is None:
            return "?"
        seconds += self._paused / self._run.steps
        return tqdm.format_interval((self._steps - self._step) * seconds)

    def _end_pause(self) -> None:
        if self._moment is not None:
            now = time.perf_counter()
            self._paused += now - self._moment
            self._moment = now


def _listed(values: Mapping[str, float]) -> str:
    return " ".join(f"{name} {float(value):.4g}" for name, value in values.items())


def _shown(speed: float | None) -> str:
    return f"{speed:,.1f}" if speed else "?"
