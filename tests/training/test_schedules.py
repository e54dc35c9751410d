import math

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from xcos_tf.errors import XcosError
from xcos_tf.training.config import ScheduleConfig
from xcos_tf.training.schedules import Warmup, build_schedule, cosine


def rates(schedule, steps):
    return [float(schedule(tf.constant(step, tf.int64))) for step in steps]


def step_decay(peak, drops, warmup=0):
    return build_schedule(ScheduleConfig(drops=drops, warmup=warmup), peak, 40, 10, False)


def test_cosine_rises_and_falls():
    expected = [
        2.0 * (s + 1) / 10
        if s < 10
        else 2.0 * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * (s - 10) / 90)))
        for s in range(101)
    ]
    np.testing.assert_allclose(rates(cosine(2.0, 100, 10), range(101)), expected, rtol=1e-5)


def test_steps_of_the_paper():
    schedule = step_decay(1e-3, [12, 15, 18])
    expected = [1e-3] * 12 + [1e-4] * 3 + [1e-5] * 3 + [1e-6] * 4
    np.testing.assert_allclose(rates(schedule, range(22)), expected, rtol=1e-5)


def test_drops_count_from_the_first_step_of_all():
    schedule = step_decay(1.0, [8], warmup=4)
    np.testing.assert_allclose(
        rates(schedule, range(10)), [0.25, 0.5, 0.75, 1, 1, 1, 1, 1, 0.1, 0.1], rtol=1e-6
    )
    np.testing.assert_allclose(rates(step_decay(0.5, []), [0, 10**6]), [0.5, 0.5])


@pytest.mark.parametrize("drops", [[5, 3], [5, 5], [2]])
def test_drops_out_of_order_are_refused(drops):
    with pytest.raises(XcosError, match="drops"):
        step_decay(1.0, drops, warmup=2)


def test_a_configuration_counts_epochs_or_steps():
    config = ScheduleConfig(kind="step", drops=[2, 3], factor=0.5, warmup=0.5)
    built = build_schedule(config, 0.8, 40, steps_per_epoch=10, in_epochs=True)
    places = [0, 4, 19, 20, 29, 30]
    np.testing.assert_allclose(rates(built, places), [0.16, 0.8, 0.8, 0.4, 0.4, 0.2], rtol=1e-6)
    config = ScheduleConfig(kind="cosine", warmup=4)
    built = build_schedule(config, 0.8, 40, steps_per_epoch=10, in_epochs=False)
    np.testing.assert_allclose(rates(built, range(40)), rates(cosine(0.8, 40, 4), range(40)))


def test_drops_that_meet_the_warmup_are_refused():
    config = ScheduleConfig(kind="step", drops=[2], warmup=2)
    with pytest.raises(XcosError, match=r"drops \[20\] must ascend from above the warm-up's 20"):
        build_schedule(config, 1.0, 40, steps_per_epoch=10, in_epochs=True)


def test_a_schedule_survives_serialisation():
    schedule = keras.optimizers.schedules.deserialize(
        keras.optimizers.schedules.serialize(cosine(2.0, 100, 10))
    )
    assert isinstance(schedule, Warmup)
    np.testing.assert_allclose(rates(schedule, [0, 50]), rates(cosine(2.0, 100, 10), [0, 50]))
