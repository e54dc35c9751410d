import numpy as np
import pytest
import tensorflow as tf

from tests.export.compression.toy import BLOCKS, SIZE, toy_weights
from xcos_tf.export.compression.layout import grid_feature
from xcos_tf.export.compression.operations import (
    SHARES,
    FloatOperations,
    Int8Operations,
    int8_ranges,
    limits_and_errors,
    range_of,
    with_rests,
)
from xcos_tf.export.compression.shipped import rounded_to_int8


def gentle(weights):
    """Bound the slopes, as `equalised` does."""
    return {
        name: np.clip(array, -1, 1) if name.endswith("alpha") else array
        for name, array in weights.items()
    }


def test_without_rounding_it_is_the_float_network(random):
    weights = gentle(toy_weights(random))
    images = random.uniform(-1, 1, (3, SIZE, SIZE, 3)).astype(np.float32)
    seen = []
    watched = FloatOperations(with_rests(weights), lambda name, x: seen.append(name))
    found = grid_feature(tf.constant(images), watched, BLOCKS).numpy()
    expected = grid_feature(tf.constant(images), FloatOperations(weights), BLOCKS).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-3 * np.abs(expected).max())
    assert seen[0] == "image" and {"stem_conv_prelu_rest", "conv"} <= set(seen)


def test_ranges_are_the_mean_over_batches_around_zero(random):
    for low, expected in (((-1, -3), [-2, 4]), ((2, 2), [0, 4])):
        batches = (tf.constant(x, tf.float32) for x in zip(low, (3, 5), strict=True))
        found = range_of([limits_and_errors(x, (1,)) for x in batches], (1,))
        np.testing.assert_array_equal(found, expected)
        assert found.dtype == np.float32
    images = random.uniform(0, 0.1, (2, SIZE, SIZE, 3)).astype(np.float32)
    ranges = int8_ranges(with_rests(gentle(toy_weights(random))), images, blocks=BLOCKS)
    np.testing.assert_allclose(ranges["image"], [-127.5 / 128, 127.5 / 128])


def test_what_is_rare_is_cut_off(random):
    many = random.uniform(-1, 1, 1_000_000)
    # Two of a million lose 0.35 for steps that are a quarter smaller.
    for largest, expected in ((1.0, 1), (1.4, 1.05)):
        x = tf.constant(np.append(many, [-largest, largest]), tf.float32)
        found = range_of([limits_and_errors(x, SHARES)], SHARES)
        np.testing.assert_allclose(found, [-expected, expected])


def test_results_and_constants_have_256_values(random):
    x = random.normal(size=(1, 20, 20, 8)).astype(np.float32)
    weights = {"p/rest": random.uniform(-2, 0, (1, 1, 8)).astype(np.float32)}
    ops = Int8Operations(weights, {"p": (-1.0, 2.0), "p_rest": (0.0, 2.0)})
    rest = ops.factor("p/rest").numpy()
    steps = rest / (np.abs(weights["p/rest"]).max() / 127)
    np.testing.assert_allclose(steps, np.round(steps), atol=1e-4)
    np.testing.assert_allclose(rest, weights["p/rest"], atol=1 / 127)
    found = ops.prelu("p", tf.constant(x)).numpy()
    assert len(np.unique(found)) <= 256
    assert found.min() == pytest.approx(-1, abs=0.01) and found.max() == pytest.approx(2, abs=0.01)
    slope = weights["p/rest"] + 1
    expected = np.clip(np.where(x > 0, x, slope * x), -1, 2)
    inside = np.abs(x) < 0.9
    np.testing.assert_allclose(found[inside], expected[inside], atol=0.03)


@pytest.mark.parametrize(
    "name, shape, channel_axis",
    [
        ("a/kernel", (3, 3, 4, 5), 3),
        ("a_depthwise/kernel", (3, 3, 5, 1), 2),
        ("a/rest", (1, 5), None),
    ],
)
def test_weights_round_to_steps_of_their_channel(random, name, shape, channel_axis):
    weight = random.normal(size=shape).astype(np.float32)
    if channel_axis is not None:
        sizes = np.array([1, 10, 100, 1000, 1e4], np.float32)
        weight *= sizes.reshape([5 if i == channel_axis else 1 for i in range(4)])
    steps, step = rounded_to_int8(name, weight)
    assert steps.dtype == np.int8 and np.abs(steps).max() == 127
    assert step.size == (1 if channel_axis is None else 5)
    assert np.all(np.abs(steps * step - weight) <= step / 2 * 1.001)
