import numpy as np
import pytest
import tensorflow as tf

from xcos_tf.export.compression.students import RATE, learned_rounding, range_factor

LOW, HIGH = -1.0, 1.55  # 256 values, 0.01 apart


def rounded(x, growth):
    return learned_rounding(tf.constant(x, tf.float32), growth, LOW, HIGH)


def test_values_are_whole_steps_within_the_limits(random):
    growth = tf.constant(np.log(2) / RATE, tf.float32)
    assert float(range_factor(growth)) == pytest.approx(2)
    x = random.uniform(-4, 5, 1000)
    steps = rounded(x, growth).numpy() / 0.02
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-3)
    np.testing.assert_allclose(steps, np.clip(np.round(x / 0.02), -100, 155), atol=1.001)
    assert rounded([0.0], growth).numpy() == 0


def test_the_gradient_is_that_of_the_step_size(random):
    factor = 1.3
    growth = tf.Variable(np.log(factor) / RATE, dtype=tf.float32)
    x = random.uniform(-3, 3, 200).astype(np.float32)
    weights = random.normal(size=200).astype(np.float32)
    with tf.GradientTape() as tape:
        y = rounded(x, growth)
        loss = tf.reduce_sum(weights * y)
    inside = (x > factor * LOW) & (x < factor * HIGH)
    by_factor = (
        np.where(inside, y.numpy() - x, np.where(x > 0, factor * HIGH, factor * LOW)) / factor
    )
    expected = (weights * by_factor).sum() * factor * RATE
    assert 0 < inside.sum() < 200
    assert float(tape.gradient(loss, growth)) == pytest.approx(expected, rel=1e-3)


def test_the_limits_find_what_there_is(random):
    """Of a loss that is the squared error, the best factor lies near what the values reach."""
    x = random.normal(size=20_000).astype(np.float32) * 0.5
    optimizer = tf.keras.optimizers.Adam(2e-4)
    growth = tf.Variable(np.log(4) / RATE, dtype=tf.float32)

    def error():
        return tf.reduce_mean(tf.square(rounded(x, growth) - x))

    optimizer.build([growth])

    @tf.function
    def step():
        with tf.GradientTape() as tape:
            loss = 1e4 * error()
        optimizer.apply_gradients([(tape.gradient(loss, growth), growth)])

    before = float(error())
    for _ in range(600):
        step()
    candidates = np.linspace(0.3, 4, 200)
    errors = [
        float(tf.reduce_mean(tf.square(rounded(x, tf.constant(np.log(c) / RATE, tf.float32)) - x)))
        for c in candidates
    ]
    assert float(error()) < 0.5 * before
    assert float(error()) < 1.1 * min(errors)
