"""What the loop does between steps, for runs that are driven by Keras's `fit`."""

from collections.abc import Callable
from contextlib import ExitStack

from tensorflow import keras

from xcos_tf.training.cadence import Cadence
from xcos_tf.training.checkpoints import Checkpoints
from xcos_tf.training.finite import check_finite
from xcos_tf.training.stop_signal import stop_asked
from xcos_tf.training.variables import read


class KeepCheckpoints(keras.callbacks.Callback):
    """Writes checkpoints while a `Trainer` is fitted, and stops it on SIGTERM or Ctrl-C.

    To go on from one, call `checkpoints.restore(trainer)` before `fit`, and give `fit` a dataset
    that starts at the step it returns. After `fit`, `step` says how far it came.

    Raises, out of `fit`:
        XcosError: a loss is NaN or infinite, or a checkpoint cannot be written.
    """

    def __init__(
        self,
        checkpoints: Checkpoints,
        cadence: Cadence,
        after_step: Callable[[int, dict[str, float]], None] | None = None,
    ):
        """Write when `cadence` says so, at the end, and when told to stop.

        `after_step` is called with the steps made and the losses, before a checkpoint is written.
        """
        super().__init__()
        self.checkpoints, self.cadence, self._after_step = checkpoints, cadence, after_step
        self.step = 0
        self._stack = ExitStack()

    def on_train_begin(self, logs=None):
        self.step = int(read(self.model.optimizer.iterations))
        self.checkpoints.check_room(self.model)
        self._stopping = self._stack.enter_context(stop_asked())

    def on_train_batch_end(self, batch, logs=None):
        losses = {name: float(value) for name, value in logs.items()}
        try:
            check_finite(self.model, self.step, losses, self.checkpoints)
            self.step += 1
            if self._after_step:
                self._after_step(self.step, losses)
            if self.cadence.due(self.step):
                self.checkpoints.save(self.model, self.step)
        except BaseException:  # `fit` ends without a last word to its callbacks
            self._stack.close()
            raise
        if self._stopping():
            self.model.stop_training = True

    def on_train_end(self, logs=None):
        self._stack.close()
        self.checkpoints.save(self.model, self.step)
