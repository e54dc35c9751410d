"""From a preset's compressed weights to the bytes of TFLite models."""

from collections.abc import Callable
from pathlib import Path

import tensorflow as tf

from xcos_tf.export.compression.int8_operations import Int8Operations
from xcos_tf.export.compression.layout import grid_feature
from xcos_tf.export.compression.operations import FloatOperations
from xcos_tf.export.compression.shipped import CompressedNetwork, load_compressed
from xcos_tf.export.tflite.convert import convert
from xcos_tf.models.presets import Preset


def compressed_maker(
    preset: Preset, folder: Path, variant: str
) -> Callable[[str, int | None], bytes]:
    """Return what makes TFLite models of a compressed variant, of builtin operations alone.

    The "qat" grid is int8 throughout but for its last 7×7×32 products and sums; its inputs are
    uint8 and its outputs float32. "pruned" and "clustered" are float32, smaller when packed. The
    comparison is the float32 one in each.

    Args:
        preset: an xCos preset, loaded from the folder.
        folder: of the preset.
        variant: "pruned", "clustered" or "qat".

    Returns:
        A function from a model ("embed", "compare" or "verify") and the size of a batch (None where
        it is free) to the model's bytes.

    Raises:
        XcosError: the preset has no such variant, or it was made from other weights than it has.
    """
    grid = compressed_grid(load_compressed(folder, preset.config, variant))
    arithmetic = "int8" if variant == "qat" else "float32"
    return lambda model, batch: convert(preset, model, arithmetic, batch, grid)


def compressed_grid(network: CompressedNetwork) -> Callable[..., tf.Tensor]:
    """Return a function from images, float32 in [−1, 1], to what the compressed network gives."""
    if network.ranges:
        operations = Int8Operations(network.weights, network.ranges)
    else:
        operations = FloatOperations(network.weights)
    return lambda image, training=False: grid_feature(image, operations)
