"""What a variable holds, under Keras 2 and 3 and any `tf.distribute` strategy."""

import numpy as np
import tensorflow as tf


def read(variable) -> np.ndarray:
    """Return the value that a variable has on the first replica of this process.

    For weights, optimizers and counters it is the same on all. Keras 2 hands out TensorFlow's own
    distributed variables, and some of those are averaged over all replicas when they are read, so
    that all workers would have to read at once; but the chief alone writes checkpoints.
    """
    if isinstance(variable, tf.distribute.DistributedValues):
        variable = variable.distribute_strategy.experimental_local_results(variable)[0]
    return np.asarray(variable)
