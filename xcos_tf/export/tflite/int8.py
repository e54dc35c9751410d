"""The grid in int8 without training: weights made alike, and each result's limits measured."""

from collections.abc import Callable, Mapping

import numpy as np
import tensorflow as tf

from xcos_tf.export.compression.equalise import equalised
from xcos_tf.export.compression.int8_operations import CalibratingOperations, Int8Operations
from xcos_tf.export.compression.layout import grid_feature, simple_weights
from xcos_tf.models.network import XCosNetwork
from xcos_tf.models.preprocessing import normalise_pixels

_BATCH = 16


class _ShortPrelu:
    """A PReLU of slope a ≤ 1 is x + relu((a − 1)·x), a product that ends in a ReLU and a sum.

    XNNPACK has both in int8. One operation less than `Int8Operations` has, and closer: what is
    positive passes unchanged.
    """

    def prelu(self, name, x):
        rest = tf.nn.relu(x * self.constant(f"{name}/rest"))
        return self.rounded(name, x + self.rounded(f"{name}_rest", rest))


class _Rounding(_ShortPrelu, Int8Operations):
    pass


class _Calibrating(_ShortPrelu, CalibratingOperations):
    pass


def int8_grid(network: XCosNetwork, faces: np.ndarray) -> Callable[..., tf.Tensor]:
    """Return what takes the place of a network's grid for the converter to make int8 of.

    Each result is rounded to one of 256 values between limits measured on the faces; kernels are
    left to the converter, which gives each output channel a scale of its own. The last 7×7×32
    products and sums stay in float32.

    Args:
        network: MobileFaceNet's with folded batch normalisation, and its grid head.
        faces: uint8 (N, 112, 112, 3) RGB.

    Returns:
        A function from images, float32 (N, 112, 112, 3) in [−1, 1], to the grid feature.

    Raises:
        XcosError: the network is of another kind.
    """
    images = normalise_pixels(faces).numpy()
    weights = _with_rests(equalised(simple_weights(network), images))
    calibrating = _Calibrating(weights)
    for start in range(0, len(images), _BATCH):
        grid_feature(tf.constant(images[start : start + _BATCH]), calibrating)
    rounding = _Rounding(weights, calibrating.ranges())
    return lambda image, training=False: grid_feature(image, rounding)


def _with_rests(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    alpha = "/alpha"
    rests = {
        name.replace(alpha, "/rest"): slope - 1
        for name, slope in weights.items()
        if name.endswith(alpha)
    }
    return {**weights, **rests}
