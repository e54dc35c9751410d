"""The grid in int8 without training: weights made alike, and each result's limits measured."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from xcos_tf.errors import XcosError
from xcos_tf.export.compression.equalise import equalised
from xcos_tf.export.compression.int8_operations import (
    CalibratingOperations,
    Int8Operations,
    with_rests,
)
from xcos_tf.export.compression.layout import grid_feature, simple_weights
from xcos_tf.models.network import XCos
from xcos_tf.models.preprocessing import normalise_pixels

_BATCH = 16


def can_be_int8(network: XCos) -> bool:
    """Return whether `int8_grid` takes a network."""
    try:
        simple_weights(network)
    except XcosError:
        return False
    return True


def int8_grid(network: XCos, faces: np.ndarray) -> Callable[..., tf.Tensor]:
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
    weights = with_rests(equalised(simple_weights(network), images))
    calibrating = CalibratingOperations(weights)
    for start in range(0, len(images), _BATCH):
        grid_feature(tf.constant(images[start : start + _BATCH]), calibrating)
    operations = Int8Operations(weights, calibrating.ranges())
    return lambda image, training=False: grid_feature(image, operations)
