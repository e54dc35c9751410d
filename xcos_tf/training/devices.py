"""What a run computes on."""

import os

import tensorflow as tf

from xcos_tf.errors import XcosError
from xcos_tf.training.config import DevicesConfig


def build_strategy(config: DevicesConfig) -> tf.distribute.Strategy:
    """Return the strategy that a configuration asks for; call it before anything is computed.

    Raises:
        XcosError: the CPU cannot be split any more, as TensorFlow has computed already; or
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
