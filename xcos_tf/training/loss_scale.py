"""Scaling of a loss whose gradients are computed in float16, which underflows below 6e-8."""

import tensorflow as tf

FIRST, RISE_AFTER = 2.0**15, 2000


class LossScale:
    """A factor that halves when gradients overflow and doubles after 2,000 steps without.

    Micikevicius et al., *Mixed Precision Training*, ICLR 2018, Sec. 3.2. Where gradients overflow,
    a step is made with gradients of zero: momentum and weight decay go on.

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

    def scale(self, loss: tf.Tensor) -> tf.Tensor:
        """Return a loss, float32 scalar, times the factor."""
        return loss * self.state[0]

    def unscale(self, gradients: list[tf.Tensor]) -> list[tf.Tensor]:
        """Return gradients, the same on all replicas, over the factor; then change the factor."""
        factor, steps = tf.unstack(self.state)
        finite = tf.reduce_all([tf.reduce_all(tf.math.is_finite(g)) for g in gradients])
        rises = finite & (steps + 1 >= RISE_AFTER)
        change = tf.where(finite, tf.where(rises, 2.0, 1.0), 0.5)
        unscaled = [tf.where(finite, g / tf.cast(factor, g.dtype), 0.0) for g in gradients]
        steps = tf.where(finite & ~rises, steps + 1, 0.0)
        self.state.assign(tf.stack([tf.maximum(1.0, factor * change), steps]))
        return unscaled
