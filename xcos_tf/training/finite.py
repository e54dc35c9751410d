"""A loss that is NaN or infinite ends a run before a checkpoint can hold it."""

import math

from xcos_tf.errors import XcosError
from xcos_tf.training.checkpoints import Checkpoints
from xcos_tf.training.model import Trainer


def check_finite(
    trainer: Trainer, step: int, losses: dict[str, float], checkpoints: Checkpoints
) -> None:
    """Make sure that the losses of the step after `step` steps are numbers.

    Raises:
        XcosError: one is not; the sentence has the step, the learning rates and the newest
            checkpoint.
    """
    if all(math.isfinite(value) for value in losses.values()):
        return
    rates = ", ".join(f"{part} {rate:.3g}" for part, rate in trainer.learning_rates.items())
    good = checkpoints.steps()
    last = checkpoints.path(good[-1]) if good else "none yet"
    raise XcosError(
        f"the loss became {losses['total']} at step {step + 1}, learning rates {rates}; the last "
        f"good checkpoint is {last}; lower the rates or clip the gradients, and start from it"
    )
