"""Rounding to 8 bits between limits that are learned.

Two limits keep their ratio; what is learned is one factor g of both. y = g · q(x / g), where q
rounds between fixed limits and passes gradients within them, has the gradient of Esser et al.,
*Learned Step Size Quantization*, ICLR 2020: (y − x) / g within the limits, y / g beyond.
"""

import tensorflow as tf

RATE = 20.0
"""How many times faster than weights the logarithm of a factor is learned."""


def range_factor(growth: tf.Tensor) -> tf.Tensor:
    """Return g > 0, float32 scalar, of what is learned, which starts at 0."""
    return tf.exp(RATE * growth)


def learned_rounding(x: tf.Tensor, growth: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    """Return x rounded to one of 256 values from g·low to g·high, of which one is 0.

    Args:
        x: float32 of any shape.
        growth: float32 scalar; see `range_factor`.
        low, high: float32 scalars, low ≤ 0 < high.
    """
    factor = range_factor(growth)
    return factor * tf.quantization.fake_quant_with_min_max_vars(x / factor, low, high)
