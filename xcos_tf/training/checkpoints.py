"""What a run needs to go on as if it had never stopped, in files that are whole or not there."""

import os
import re
import shutil
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save
from tensorflow import keras

from xcos_tf.errors import XcosError
from xcos_tf.files import check_can_write, replace_file
from xcos_tf.models.weights import variable_path
from xcos_tf.training.model import Trainer
from xcos_tf.training.optimizers import optimizer_variables
from xcos_tf.training.run_files import writing
from xcos_tf.training.variables import read

_NAME = re.compile(r"step-(\d{9})\.safetensors")
BEST = "best.safetensors"
FORMAT = "2"  # of 1, variables went by their position


def trainer_state(trainer: Trainer) -> dict:
    """Return {path: variable} of a compiled trainer: weights, optimizers, random generators.

    A weight's path is "model" and the names of the layers that hold it; an optimizer's variable
    goes by its part, and by the library's own name for it, which has the weight's path in it.
    """
    state = {}
    for layer in trainer.kept_layers:
        _add(state, f"model/{layer.name}", layer)
    for part, optimizer in trainer.optimizers_by_part.items():
        own = getattr(optimizer, "name", type(optimizer).__name__)  # legacy ones have no name
        for variable in optimizer_variables(optimizer):
            name = variable_path(variable).removeprefix(f"{own}/")
            _put(state, f"optimizer/{part}/{name}", variable)
    if trainer.loss_scale:
        state["loss_scale"] = trainer.loss_scale.state
    return state


def _add(state: dict, path: str, layer: keras.layers.Layer) -> None:
    """Add all variables of a layer and of the layers in it."""
    inner = getattr(layer, "parts", None) or getattr(layer, "layers", None)
    for other in inner or ():
        _add(state, f"{path}/{other.name}", other)
    if not inner:
        for variable in layer.variables:
            name = variable_path(variable).rpartition("/")[2]
            _put(state, f"{path}/{name}", variable)


def _put(state: dict, path: str, variable) -> None:
    """Add a variable; a second one of the same path gets a number."""
    same = sum(known.partition("#")[0] == path for known in state)
    state[f"{path}#{same + 1}" if same else path] = variable


class Checkpoints:
    """The checkpoints of a run: the last `keep`, and the best one.

    A file appears under its name only when all of it is on disk. Whatever interrupts the writing
    of one, and a full disk too, leaves those before it as they were.
    """

    def __init__(self, folder: str | os.PathLike, keep: int = 3, read_only: bool = False):
        """Open the folder, and make it if it is not there.

        Args:
            folder: of the checkpoints.
            keep: how many of the newest.
            read_only: whether another process writes, as for a worker that is not the chief.

        Raises:
            XcosError: it cannot be made or written to.
        """
        self.folder, self.keep = Path(folder), keep
        if read_only:
            return
        check_can_write(self.folder, within=self.folder)
        with writing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)

    def check_room(self, trainer: Trainer) -> None:
        """Make sure that the checkpoints of a whole run fit on the disk.

        Raises:
            XcosError: they do not.
        """
        size = sum(read(variable).nbytes for variable in trainer_state(trainer).values())
        needed = size * max(1, self.keep + 2 - len(self.steps()))
        free = shutil.disk_usage(self.folder).free
        if free < needed:
            raise XcosError(
                f"{self.folder} has {free / 1e6:,.0f} MB left and {self.keep} checkpoints of "
                f"{size / 1e6:,.0f} MB need {needed / 1e6:,.0f}; free some space or keep fewer"
            )

    def steps(self) -> list[int]:
        """Return the steps that there are checkpoints of, ascending."""
        if not self.folder.is_dir():
            return []
        matches = (_NAME.fullmatch(path.name) for path in self.folder.iterdir())
        return sorted(int(match[1]) for match in matches if match)

    def path(self, step: int) -> Path:
        """Return the file of a step's checkpoint."""
        return self.folder / f"step-{step:09d}.safetensors"

    def save(self, trainer: Trainer, step: int, best: bool = False) -> Path:
        """Write a checkpoint if this step has none, then remove those that are too many.

        Args:
            trainer: compiled.
            step: how many steps it has made.
            best: whether it is the best so far, to be kept under a name of its own.

        Raises:
            XcosError: the disk is full or the folder is gone; the checkpoints before are whole.
        """
        path = self.path(step)
        # The best one's own name comes first: whatever is killed in between, the step is not
        # counted as made, and all of this happens again.
        wanted = [self.folder / BEST, path] if best else [] if path.exists() else [path]
        try:
            if wanted:
                state = trainer_state(trainer)
                arrays = {k: np.require(read(v), requirements="C") for k, v in state.items()}
                content = save(arrays, {"format": FORMAT, "step": str(step)})
                for name in wanted:
                    replace_file(name, lambda stream: stream.write(content))
            for old in self.steps()[: -self.keep]:
                self.path(old).unlink()
        except OSError as error:
            steps = self.steps()
            last = f"the last good one is {self.path(steps[-1])}" if steps else "there is none yet"
            raise XcosError(
                f"the checkpoint of step {step} cannot be written ({error.strerror or error}); "
                f"{last}; free some space and start the same command again"
            ) from None
        return path

    def restore(self, trainer: Trainer, path: Path | None = None) -> int:
        """Set a compiled trainer to a checkpoint, the newest unless one is given.

        Returns:
            The steps that it had made; 0 if there is no checkpoint.

        Raises:
            XcosError: the checkpoint is damaged or of another model or another optimizer.
        """
        if path is None:
            steps = self.steps()
            if not steps:
                return 0
            path = self.path(steps[-1])
        state = trainer_state(trainer)
        try:
            with safe_open(path, framework="numpy") as file:
                step, form = int(file.metadata()["step"]), file.metadata()["format"]
                arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118
        except (OSError, SafetensorError, KeyError, TypeError, ValueError) as error:
            raise XcosError(
                f"the checkpoint {path} is damaged ({error}); remove it to go on from an older one"
            ) from None
        if form != FORMAT:
            raise XcosError(
                f"the checkpoint {path} is of an older version, which trained otherwise; start a "
                "new folder"
            )
        shapes = {name: tuple(variable.shape) for name, variable in state.items()}
        if shapes != {name: array.shape for name, array in arrays.items()}:
            raise XcosError(
                f"the checkpoint {path} is of another model, another number of people or other "
                "optimizers; go on with the configuration it was made with, or start a new folder"
            )
        for name, variable in state.items():
            variable.assign(arrays[name])
        return step
