"""Learning-rate schedules, as Keras schedules of the step."""

import tensorflow as tf
from tensorflow import keras

from xcos_tf.errors import XcosError
from xcos_tf.training.config import ScheduleConfig


@keras.utils.register_keras_serializable(package="xcos_tf")
class Warmup(keras.optimizers.schedules.LearningRateSchedule):
    """Rise linearly to another schedule's first rate, then follow it from its step 0.

    At step s < `steps` the rate is (s + 1) / steps of that first rate.
    """

    def __init__(self, then: keras.optimizers.schedules.LearningRateSchedule, steps: int):
        self.then = then
        self.steps = int(steps)

    def __call__(self, step):
        step = tf.cast(step, tf.float32)
        share = tf.minimum(1.0, (step + 1.0) / max(1, self.steps))
        return share * self.then(tf.maximum(step - self.steps, 0.0))

    def get_config(self):
        then = keras.optimizers.schedules.serialize(self.then)
        return {"then": then, "steps": self.steps}

    @classmethod
    def from_config(cls, config):
        then = keras.optimizers.schedules.deserialize(config["then"])
        return cls(then, config["steps"])


def cosine(peak: float, steps: int, warmup: int = 0) -> Warmup:
    """Return a warm-up to `peak`, then a cosine down to 1 % of it at the last of `steps`."""
    then = keras.optimizers.schedules.CosineDecay(peak, max(1, steps - warmup), alpha=0.01)
    return Warmup(then, warmup)


def build_schedule(
    config: ScheduleConfig, peak: float, steps: int, steps_per_epoch: float, in_epochs: bool
) -> Warmup:
    """Return the schedule that a configuration describes.

    One of steps multiplies the rate by `factor` at each drop. The paper's is 1e-3, divided by 10
    after epochs 12, 15 and 18 (Sec. 4.1).

    Raises XcosError if, in whole steps, the drops do not ascend from above the warm-up.
    """
    unit = steps_per_epoch if in_epochs else 1
    warmup, drops = round(config.warmup * unit), [round(drop * unit) for drop in config.drops]
    if config.kind == "cosine":
        return cosine(peak, steps, warmup)
    if drops != sorted(set(drops)) or (drops and drops[0] <= warmup):
        raise XcosError(
            f"schedule: in steps, drops {drops} must ascend from above the warm-up's {warmup}; "
            "move them apart"
        )
    rates = [peak * config.factor**i for i in range(len(drops) + 1)]
    # A boundary of Keras is the last step of the rate before it.
    boundaries = [float(drop - warmup - 1) for drop in drops]
    if not boundaries:
        boundaries, rates = [float(2**31)], [peak, peak]
    return Warmup(keras.optimizers.schedules.PiecewiseConstantDecay(boundaries, rates), warmup)
