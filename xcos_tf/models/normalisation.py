"""Batch normalisation as every model of the package uses it."""

from xcos_tf.environment import keras


def batch_norm(
    name: str, epsilon: float = 1e-5, momentum: float = 0.9
) -> keras.layers.BatchNormalization:
    """Return a batch normalisation whose statistics are those of all replicas together.

    So that training on several devices is training on one with the whole batch. The defaults are
    PyTorch's, in whose terms the momentum is 0.1.
    """
    return keras.layers.BatchNormalization(
        epsilon=epsilon, momentum=momentum, synchronized=True, name=name
    )
