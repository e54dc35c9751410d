"""Our own training loop, on one device or many."""

import math
import os
import signal
import time
from collections.abc import Callable, Sequence

import tensorflow as tf

from xcos_tf.errors import XcosError, counted
from xcos_tf.stop_signal import stop_asked
from xcos_tf.training.checkpoints import Checkpoints
from xcos_tf.training.config import DevicesConfig
from xcos_tf.training.model import Trainer


def build_strategy(config: DevicesConfig) -> tf.distribute.Strategy:
    """Return the strategy that a configuration asks for; call it before anything is computed.

    Raises XcosError if TensorFlow has computed already and cannot split the CPU any more, or
    TF_CONFIG is missing.
    """
    if config.deterministic:
        tf.config.experimental.enable_op_determinism()
    if config.logical_cpus > 1:
        cpu = tf.config.list_physical_devices("CPU")[0]
        parts = [tf.config.LogicalDeviceConfiguration()] * config.logical_cpus
        try:
            tf.config.set_logical_device_configuration(cpu, parts)
        except RuntimeError:
            raise XcosError(
                "the CPU cannot be split into logical ones after TensorFlow has started; train in "
                "a process of its own"
            ) from None
        return tf.distribute.MirroredStrategy([f"CPU:{i}" for i in range(config.logical_cpus)])
    if config.strategy == "mirrored":
        return tf.distribute.MirroredStrategy()
    if config.strategy == "multi_worker":
        if "TF_CONFIG" not in os.environ:
            raise XcosError(
                "strategy: multi_worker needs the environment variable TF_CONFIG, with the "
                "addresses of the workers and which one this is"
            )
        return tf.distribute.MultiWorkerMirroredStrategy()
    return tf.distribute.OneDeviceStrategy(
        "GPU:0" if tf.config.list_physical_devices("GPU") else "CPU:0"
    )


def is_chief(strategy: tf.distribute.Strategy) -> bool:
    """Return whether this process is the one that writes, of several workers."""
    resolver = strategy.cluster_resolver
    if resolver is None or not resolver.task_type:
        return True
    return resolver.task_type == "chief" or (
        resolver.task_type == "worker"
        and resolver.task_id == 0
        and "chief" not in resolver.cluster_spec().jobs
    )


class Cadence:
    """When a checkpoint is due: each so many steps, and so many minutes after the last one."""

    def __init__(self, every: int, minutes: float | None = None):
        self.every, self.minutes = every, minutes
        self._last = time.monotonic()

    def late(self) -> bool:
        """Return whether the minutes have passed."""
        return self.minutes is not None and time.monotonic() - self._last >= 60 * self.minutes

    def due(self, step: int) -> bool:
        """Return whether it is time after `step` steps; if so, the minutes start anew."""
        if step % self.every and not self.late():
            return False
        self._last = time.monotonic()
        return True


def train_loop(
    trainer: Trainer,
    dataset_of: Callable[[int, int, range, int], tf.data.Dataset],
    checkpoints: Checkpoints,
    steps: int,
    groups: int,
    cadence: Cadence,
    strategy: tf.distribute.Strategy | None = None,
    jit_compile: bool = False,
    steps_per_execution: int = 1,
    meet: Callable[[int, dict[str, float]], None] | None = None,
    meet_every: Sequence[int] = (),
) -> int:
    """Train from the newest checkpoint to the last step, or until SIGTERM or Ctrl-C.

    A step that does not end after one of these is cut short, and the process with it.

    The losses stay on the device, where they are added up, until this process meets it: before a
    checkpoint, after the last step, and as often as `meet_every` says.

    Args:
        dataset_of: called with (first step, last step, groups, groups in an element), to give
            elements as `Trainer` takes them, of these steps and groups, in order; see
            `training_dataset`.
        checkpoints: of the run. One is written when `cadence` says so, at the end, and when the
            loop is told to stop; by the chief alone if there are several workers.
        groups: in the batch of a step, over all replicas.
        strategy: in whose scope the trainer was made and compiled; the present one when None.
        steps_per_execution: that TensorFlow makes in one call, between which signals are answered.
        meet: called at each meeting with the steps made and the mean losses since the last
            meeting, before a checkpoint is written.
        meet_every: steps at whose multiples to meet, besides.

    Returns:
        The steps made: `steps`, or fewer if SIGTERM told it to stop.

    Raises:
        KeyboardInterrupt: Ctrl-C told it to stop, and the checkpoint is written.
        XcosError: the groups cannot be shared out equally, a loss is NaN or infinite, or a
            checkpoint cannot be read or written.
    """
    strategy = strategy or tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    if groups % replicas:
        raise XcosError(
            f"a batch of {counted(groups, 'group')} cannot be shared by {replicas} replicas; make "
            "the number of groups (of pairs or faces in a run of epochs) a multiple of that of "
            "replicas"
        )
    chief = is_chief(strategy)
    step = met = checkpoints.restore(trainer)

    def dataset(context: tf.distribute.InputContext):
        own = groups // context.num_input_pipelines
        first = own * context.input_pipeline_id
        return dataset_of(step, steps, range(first, first + own), groups // replicas)

    batches = iter(strategy.distribute_datasets_from_function(dataset))
    make_steps = _execution(trainer, strategy, jit_compile)
    sums, stop = None, 0
    with stop_asked() as stopping:
        while step < steps and not stop:
            every = (cadence.every, *meet_every)
            upcoming = min(steps, *(n * (step // n + 1) for n in every))
            count = min(steps_per_execution, upcoming - step)
            with stopping.step():
                losses = make_steps(batches, count)
            sums = {name: value + (sums[name] if sums else 0) for name, value in losses.items()}
            step += count
            stop = stopping()
            if step < upcoming and not cadence.late() and not stop:
                continue
            means = {name: float(value) / (step - met) for name, value in sums.items()}
            _check_finite(trainer, met, step, means, checkpoints)
            met, sums = step, None
            if meet:
                meet(step, means)
            if chief and cadence.due(step):
                checkpoints.save(trainer, step)
        if chief:
            checkpoints.save(trainer, step)
    if stop == signal.SIGINT and step < steps:
        raise KeyboardInterrupt
    return step


def _execution(trainer: Trainer, strategy, jit_compile: bool):
    """Return what makes a number of steps and adds up their losses, on the device."""
    step = trainer.make_step
    inner = tf.function(step, jit_compile=True) if jit_compile else step

    # As in Keras's `fit`, no step needs AutoGraph, which takes a second or two at the start.
    @tf.function(autograph=False)
    def one(batches):
        losses = strategy.run(inner, args=(next(batches),))
        # The same on every replica.
        return {k: strategy.experimental_local_results(v)[0] for k, v in losses.items()}

    @tf.function(autograph=False)
    def several(batches, count):
        def add(number, sums):
            return number + 1, {name: sums[name] + value for name, value in one(batches).items()}

        return tf.while_loop(lambda number, _: number < count, add, (1, one(batches)))[1]

    return lambda batches, n: one(batches) if n == 1 else several(batches, tf.constant(n))


def _check_finite(trainer, met: int, step: int, means: dict[str, float], checkpoints) -> None:
    """Raise XcosError, with rates and advice, if a loss of the steps after `met` is not finite."""
    if all(math.isfinite(value) for value in means.values()):
        return
    rates = ", ".join(f"{part} {rate:.3g}" for part, rate in trainer.learning_rates.items())
    where = f"at step {step}" if step == met + 1 else f"in steps {met + 1} to {step}"
    raise XcosError(
        f"the loss became {means['total']} {where}, learning rates {rates}; "
        f"{checkpoints.advice(met)}"
    )
