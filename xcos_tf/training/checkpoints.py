"""What a run needs to go on as if it had never stopped, in files that are whole or not there."""

import json
import os
import re
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from tensorflow import keras

from xcos_tf.errors import XcosError, counted, explained, reason_of, shown
from xcos_tf.files import check_can_write, open_regular, replace_file
from xcos_tf.models.weights import variable_path
from xcos_tf.training.model import Trainer
from xcos_tf.training.optimizers import optimizer_variables, read
from xcos_tf.training.record import writing

_NAME = re.compile(r"step-(\d{9})\.safetensors")
BEST = "best.safetensors"
CHECKPOINTS = "checkpoints"
"""The folder in a run's."""
_MODEL, _SCALE = "model/", "loss_scale"
FORMAT = "2"  # of 1, variables went by their position


def trainer_state(trainer: Trainer) -> dict:
    """Return {path: variable} of a compiled trainer: weights, optimizers, random generators.

    A weight's path is "model" and the names of the layers that hold it; an optimizer's variable
    goes by its part, and by the library's own name for it, which has the weight's path in it.
    """
    found = []
    for layer in trainer.kept_layers:
        found += _variables_in(f"{_MODEL}{layer.name}", layer)
    for part, optimizer in trainer.optimizers_by_part.items():
        own = getattr(optimizer, "name", type(optimizer).__name__)  # legacy ones have no name
        for variable in optimizer_variables(optimizer):
            name = variable_path(variable).removeprefix(f"{own}/")
            found.append((f"optimizer/{part}/{name}", variable))
    if trainer.loss_scale:
        found.append((_SCALE, trainer.loss_scale.state))
    state, times = {}, Counter()
    for path, variable in found:  # a second one of the same path gets a number
        times[path] += 1
        state[f"{path}#{times[path]}" if times[path] > 1 else path] = variable
    return state


def _variables_in(path: str, layer: keras.layers.Layer) -> Iterator[tuple]:
    """Yield (path, variable) of a layer and of the layers in it."""
    inner = getattr(layer, "parts", None) or getattr(layer, "layers", None)
    for other in inner or ():
        yield from _variables_in(f"{path}/{other.name}", other)
    for variable in () if inner else layer.variables:
        yield f"{path}/{variable_path(variable).rpartition('/')[2]}", variable


class Checkpoints:
    """The checkpoints of a run: the last `keep`, and the best one.

    A file appears under its name only when all of it is on disk. Whatever interrupts the writing
    of one, and a full disk too, leaves those before it as they were.
    """

    def __init__(self, folder: str | os.PathLike, keep: int = 3, read_only: bool = False):
        """Open the folder, and make it if it is not there.

        Raises XcosError if it cannot be made or written to, unless it is `read_only`, as for a
        worker that is not the chief.
        """
        self.folder, self.keep = Path(folder), keep
        if read_only:
            return
        check_can_write(self.folder, within=self.folder)
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)

    def check_room(self, trainer: Trainer) -> None:
        """Raise XcosError unless the checkpoints of a whole run fit on the disk."""
        size = sum(read(variable).nbytes for variable in trainer_state(trainer).values())
        needed = size * max(1, self.keep + 2 - len(self.steps()))
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise XcosError(
                f"{self.folder} has {free / 1e6:,.0f} MB left, and "
                f"{counted(self.keep, 'checkpoint')} of {size / 1e6:,.0f} MB and the best need "
                f"{needed / 1e6:,.0f}; free some space or keep fewer"
            )

    def steps(self) -> list[int]:
        """Return the steps that there are checkpoints of, ascending."""
        if not os.path.isdir(self.folder):
            return []
        matches = (_NAME.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(int(match[1]) for match in matches if match)

    def path(self, step: int) -> Path:
        """Return the file of a step's checkpoint."""
        return self.folder / f"step-{step:09d}.safetensors"

    def save(self, trainer: Trainer, step: int, best: bool = False) -> Path:
        """Write a checkpoint if this step has none, then remove those that are too many.

        The `best` so far is kept under a name of its own besides.

        Raises:
            XcosError: the disk is full or the folder is gone, or a weight is NaN or infinite; the
                checkpoints before are whole.
        """
        path = self.path(step)
        # The best one's own name comes first: whatever is killed in between, the step is not
        # counted as made, and all of this happens again.
        wanted = [self.folder / BEST, path] if best else [] if path.exists() else [path]
        try:
            if wanted:
                state = trainer_state(trainer)
                arrays = {k: np.require(read(v), requirements="C") for k, v in state.items()}
                for name in _not_finite(arrays):
                    raise XcosError(
                        f"the weights became NaN or infinite by step {step} ({name}); "
                        f"{self.advice(step)}"
                    )
                content = save(arrays, {"format": FORMAT, "step": str(step)})
                for name in wanted:
                    replace_file(name, lambda stream: stream.write(content))
            for old in self.steps()[: -self.keep]:
                self.path(old).unlink()
        except OSError as error:
            steps = self.steps()
            last = f"the last good one is {self.path(steps[-1])}" if steps else "there is none yet"
            raise XcosError(
                f"the checkpoint of step {step} cannot be written ({reason_of(error)}); "
                f"{last}; free some space and start the same command again"
            ) from None
        return path

    def restore(self, trainer: Trainer, path: Path | None = None) -> int:
        """Set a compiled trainer to a checkpoint, the newest unless one is given.

        Returns the steps that it had made; 0 if there is no checkpoint.

        Raises:
            XcosError: the checkpoint is damaged or of another model or another optimizer.
        """
        if path is None:
            steps = self.steps()
            if not steps:
                return 0
            path = self.path(steps[-1])
        step, arrays = _read(path)
        state = trainer_state(trainer)
        for only, other in ((state, arrays), (arrays, state)):
            if _SCALE in only and _SCALE not in other:  # the precision has changed
                del only[_SCALE]
        shapes = {name: tuple(variable.shape) for name, variable in state.items()}
        if shapes != {name: array.shape for name, array in arrays.items()}:
            raise XcosError(
                f"the checkpoint {path} is of another model, another number of people or other "
                "optimizers; go on with the configuration it was made with, or start a new folder"
            )
        for name, variable in state.items():
            variable.assign(arrays[name])
        return step

    def advice(self, met: int) -> str:
        """Return what to do about a loss or a weight that is not finite after `met` good steps.

        A checkpoint of the last of these may already hold what made the next one fail.
        """
        steps = self.steps()
        remedy = "give each part a lower `learning_rate` and the same command again"
        clip = "or `optimizers: {clip_norm: 1.0}`"
        if not steps:
            return f"there is no checkpoint yet: {remedy}, {clip} and a new folder"
        good = [step for step in steps if step < met]
        last = f"the last good checkpoint is {self.path(good[-1] if good else steps[-1])}: "
        if good and good[-1] != steps[-1]:
            last += f"remove {self.path(steps[-1]).name}, which no good step has followed, "
        run = json.dumps(str(self.folder.parent), ensure_ascii=False)
        return f"{last}{remedy}, {clip}, `start: {{checkpoint: {run}}}` and a new folder"


def take_weights(trainer: Trainer, source: str | os.PathLike) -> None:
    """Take over the weights of a checkpoint that a compiled trainer shares by path and shape.

    `source` is the checkpoint, or the folder of a run or of checkpoints, whose newest it is.

    Raises:
        XcosError: there is none, it is damaged, or its backbone is not the trainer's.
    """
    path = Path(source)
    if os.path.isdir(path):
        within = path / CHECKPOINTS
        folder = Checkpoints(within if within.is_dir() else path, read_only=True)
        if not folder.steps():
            raise XcosError(f"start: checkpoint: {path} holds no checkpoint; give another folder")
        path = folder.path(folder.steps()[-1])
    elif not os.path.exists(path):
        raise XcosError(
            f"start: checkpoint: there is no file or folder {shown(path)}; check the path"
        )
    arrays = _read(path)[1]
    own = {k: v for k, v in trainer_state(trainer).items() if k.startswith(_MODEL)}
    taken = {
        name: arrays[name]
        for name, variable in own.items()
        if name in arrays and arrays[name].shape == tuple(variable.shape)
    }
    missing = [name for name in own if "/backbone/" in name and name not in taken]
    if missing or not taken:
        named = ", ".join(missing[:3]) or "all of them"
        raise XcosError(
            f"the checkpoint {path} has other weights than the model's backbone ({named}, …); give "
            "model: backbone that of its run"
        )
    for name, array in taken.items():
        own[name].assign(array)


def _read(path: Path) -> tuple[int, dict[str, np.ndarray]]:
    """Return the steps that a checkpoint's trainer had made, and its arrays."""
    advice = "remove it to go on from an older one"
    errors = OSError, SafetensorError, KeyError, TypeError, ValueError
    with explained(f"the checkpoint {path} is damaged", advice, errors):
        open_regular(path).close()  # which refuses a pipe
        with safe_open(path, framework="numpy") as file:
            step, form = int(file.metadata()["step"]), file.metadata()["format"]
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
    if form != FORMAT:
        raise XcosError(
            f"the checkpoint {path} is of an older version, which trained otherwise; start a "
            "new folder"
        )
    for name in _not_finite(arrays):
        raise XcosError(
            f"the checkpoint {path} has a weight that is not finite ({name}); give an older one"
        )
    return step, arrays


def _not_finite(arrays: dict[str, np.ndarray]) -> list[str]:
    """Return which weights hold NaN or infinity."""
    return [k for k, v in arrays.items() if k.startswith(_MODEL) and not np.isfinite(v).all()]
