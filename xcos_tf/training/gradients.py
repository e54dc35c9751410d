"""The gradients of a step: of micro-batches one after another, and scaled against underflow."""

from collections.abc import Callable, Mapping, Sequence

import tensorflow as tf

FIRST, RISE_AFTER = 2.0**15, 2000


class LossScale:
    """A factor of a loss whose gradients are computed in float16, which underflows below 6e-8.

    It halves when gradients overflow and doubles after 2,000 steps without; see
    Micikevicius et al., *Mixed Precision Training*, ICLR 2018, Sec. 3.2. Where gradients overflow,
    nothing else happens in a step: weights, momentum, moments and counts of steps stay.

    Attributes:
        state: float32 variable (2,), the factor and the steps since it last changed.
    """

    def __init__(self):
        self.state = tf.Variable(
            [FIRST, 0.0],
            trainable=False,
            aggregation=tf.VariableAggregation.ONLY_FIRST_REPLICA,
            name="loss_scale",
        )

    def unscale(self, gradients: list[tf.Tensor]) -> tuple[list[tf.Tensor], tf.Tensor]:
        """Divide gradients, the same on all replicas, by the factor; then change the factor.

        Returns:
            The gradients so divided; and bool (), whether all of them are finite.
        """
        factor, steps = tf.unstack(self.state)
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradients])
        rises = finite & (steps + 1 >= RISE_AFTER)
        change = tf.where(finite, tf.where(rises, 2.0, 1.0), 0.5)
        unscaled = [gradient / tf.cast(factor, gradient.dtype) for gradient in gradients]
        steps = tf.where(finite & ~rises, steps + 1, 0.0)
        self.state.assign(tf.stack([tf.maximum(1.0, factor * change), steps]))
        return unscaled, finite


def only_if(condition: tf.Tensor, function: Callable[[], None]) -> None:
    """Call a function in a replica's context if a condition, bool (), holds; it is the same in all.

    A function that changes variables does so on all replicas at once, which a replica's branch may
    not; so the branching is left to what runs the replicas.
    """

    def branch(strategy, condition):
        holds = strategy.experimental_local_results(condition)[0]
        run = strategy.extended.call_for_each_replica
        tf.cond(holds, lambda: (run(function), True)[1], lambda: True)

    tf.distribute.get_replica_context().merge_call(branch, args=(condition,))


def accumulated(
    losses_of: Callable[[Mapping], dict[str, tf.Tensor]],
    batch: Mapping[str, tf.Tensor],
    variables: Sequence,
    count: int,
    scale: LossScale | None = None,
) -> tuple[dict[str, tf.Tensor], list[tf.Tensor]]:
    """Return the mean losses and gradients of micro-batches, one worked off after another.

    The batch's tensors are split along their first axis; `losses_of` gives the losses of each part,
    whose "total" has the gradients, times the factor of `scale`.
    """
    losses, gradients = None, None
    for number in range(count):
        with tf.control_dependencies(gradients or []):
            part = {k: tf.identity(tf.split(v, count)[number]) for k, v in batch.items()}
            with tf.GradientTape() as tape:
                part_losses = losses_of(part)
                total = part_losses["total"]
                total = total * scale.state[0] if scale else total
            part_gradients = tape.gradient(total, variables)
        if losses is None:
            losses, gradients = part_losses, part_gradients
        else:
            losses = {name: losses[name] + value for name, value in part_losses.items()}
            gradients = [a + b for a, b in zip(gradients, part_gradients, strict=True)]
    means = {name: value / float(count) for name, value in losses.items()}
    return means, [gradient / float(count) for gradient in gradients]
