"""Our own training loop, on one device or many."""

from collections.abc import Callable

import tensorflow as tf

from xcos_tf.errors import XcosError
from xcos_tf.training.cadence import Cadence
from xcos_tf.training.checkpoints import Checkpoints
from xcos_tf.training.devices import is_chief
from xcos_tf.training.finite import check_finite
from xcos_tf.training.model import Trainer
from xcos_tf.training.stop_signal import stop_asked

DatasetOf = Callable[[int, int, range, int], tf.data.Dataset]


def train_loop(
    trainer: Trainer,
    dataset_of: DatasetOf,
    checkpoints: Checkpoints,
    steps: int,
    groups: int,
    cadence: Cadence,
    strategy: tf.distribute.Strategy | None = None,
    jit_compile: bool = False,
    after_step: Callable[[int, dict[str, float]], None] | None = None,
) -> int:
    """Train from the newest checkpoint to the last step, or until SIGTERM or Ctrl-C.

    Args:
        trainer: made and compiled in the strategy's scope.
        dataset_of: called with (first step, last step, groups, groups in an element), to give
            elements as `Trainer` takes them, of these steps and groups, in order; see
            `training_dataset`.
        checkpoints: of the run. One is written when `cadence` says so, at the end, and when the
            loop is told to stop; by the chief alone if there are several workers.
        steps: to train in all.
        groups: in the batch of a step, over all replicas.
        cadence: of checkpoints.
        strategy: OneDevice, Mirrored or MultiWorkerMirrored; the present one when None.
        jit_compile: whether XLA compiles the step.
        after_step: called with the steps made and the losses, before a checkpoint is written.

    Returns:
        The steps made: `steps`, or fewer if it was told to stop.

    Raises:
        XcosError: the groups cannot be shared out equally, a loss is NaN or infinite, or a
            checkpoint cannot be read or written.
    """
    strategy = strategy or tf.distribute.get_strategy()
    replicas = strategy.num_replicas_in_sync
    if groups % replicas:
        raise XcosError(
            f"a batch of {groups} groups cannot be shared by {replicas} replicas; make the "
            "number of groups (of pairs or faces in a run of epochs) a multiple of that of replicas"
        )
    chief = is_chief(strategy)
    step = checkpoints.restore(trainer)
    if chief:
        checkpoints.check_room(trainer)

    def dataset(context: tf.distribute.InputContext):
        own = groups // context.num_input_pipelines
        first = own * context.input_pipeline_id
        return dataset_of(step, steps, range(first, first + own), groups // replicas)

    inner = tf.function(trainer.train_step, jit_compile=True) if jit_compile else trainer.train_step
    # As in Keras's `fit`, no step needs AutoGraph, which takes a second or two at the start.
    make_step = tf.function(lambda batch: strategy.run(inner, args=(batch,)), autograph=False)
    batches = iter(strategy.distribute_datasets_from_function(dataset))
    with stop_asked() as stopping:
        while step < steps and not stopping():
            losses = {
                # The same on every replica.
                name: float(strategy.experimental_local_results(value)[0])
                for name, value in make_step(next(batches)).items()
            }
            check_finite(trainer, step, losses, checkpoints)
            step += 1
            if after_step:
                after_step(step, losses)
            if chief and cadence.due(step):
                checkpoints.save(trainer, step)
        if chief:
            checkpoints.save(trainer, step)
    return step
