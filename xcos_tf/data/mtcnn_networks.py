"""MTCNN's three networks as functions of tensors, with the weights of the package `mtcnn`.

Their weights are constants of the graph, which takes a quarter less time than Keras's layers do.
"""

import io
from collections.abc import Callable
from importlib.resources import files

import numpy as np

# Convolutional and dense layers, each with a PReLU; and max-pooling by 2, by side and padding.
_LAYER = None
_PNET = (_LAYER, (2, "SAME"), _LAYER, _LAYER)
_RNET = (_LAYER, (3, "SAME"), _LAYER, (3, "VALID"), _LAYER, _LAYER)
_ONET = (_LAYER, (3, "SAME"), _LAYER, (3, "VALID"), _LAYER, (2, "SAME"), _LAYER, _LAYER)


def load_networks() -> tuple[Callable, Callable, Callable]:
    """Load PNet, RNet and ONet.

    Each takes float32 (N, H, W, 3) RGB in [−1, 1], RNet 24×24 and ONet 48×48 pixels of it. PNet
    returns maps, (N, h, w, …), of the offsets of boxes' sides (4) and the logits of no face and of
    a face (2); RNet the same as (N, …); ONet, between them, landmarks too (10).
    """
    # Imported here, since `mtcnn` starts TensorFlow; these two come with it.
    import joblib
    import lz4.frame

    folder = files("mtcnn.assets.weights")

    def weights(name):
        # From Python 3.13 on, a file that joblib opens itself ends in a printed traceback of lz4's.
        return joblib.load(io.BytesIO(lz4.frame.decompress((folder / name).read_bytes())))

    return tuple(
        _network(steps, weights(f"{name}.lz4"))
        for name, steps in (("pnet", _PNET), ("rnet", _RNET), ("onet", _ONET))
    )


def _network(steps: tuple, weights: list[np.ndarray]) -> Callable:
    """Return the network of these steps; a linear layer follows for each output."""
    import tensorflow as tf

    def linear(x, kernel, bias):
        if kernel.ndim == 4:
            return tf.nn.bias_add(tf.nn.conv2d(x, kernel, 1, "VALID"), bias)
        if len(x.shape) == 4:  # columns first, as where the weights were trained
            x = tf.reshape(tf.transpose(x, [0, 2, 1, 3]), [-1, len(kernel)])
        return tf.nn.bias_add(tf.matmul(x, kernel), bias)

    def prelu(x, slopes):
        return x + (slopes.ravel() - 1) * tf.minimum(x, 0.0)

    def run(x):
        rest = iter(weights)
        for pooling in steps:
            if pooling is _LAYER:
                x = prelu(linear(x, next(rest), next(rest)), next(rest))
            else:
                x = tf.nn.max_pool2d(x, pooling[0], 2, pooling[1])
        return [linear(x, kernel, bias) for kernel, bias in zip(rest, rest, strict=True)]

    return run
