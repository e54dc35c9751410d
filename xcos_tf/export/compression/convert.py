"""From a preset's compressed weights to the bytes of TFLite models."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from xcos_tf.export.compression.int8_operations import Int8Operations
from xcos_tf.export.compression.layout import grid_feature
from xcos_tf.export.compression.operations import FloatOperations
from xcos_tf.export.compression.shipped import CompressedNetwork, load_compressed
from xcos_tf.export.tflite.convert import convert
from xcos_tf.models.presets import find_preset, load_preset


def compressed_tflite(preset: str, variant: str, model: str, batch: int | None) -> bytes:
    """Return one TFLite model of a compressed variant; see `compressed_tflites`."""
    return compressed_tflites(preset, [(variant, model, batch)])[0]


def compressed_tflites(preset: str, wanted: Sequence[tuple[str, str, int | None]]) -> list[bytes]:
    """Return TFLite models of compressed variants, of builtin operations alone.

    The "qat" grid is int8 throughout but for its last 7×7×32 products and sums; its inputs are
    uint8 and its outputs float32. "pruned" and "clustered" are float32, smaller when packed. The
    comparison is the float32 one in each.

    Args:
        preset: name or folder of an xCos preset.
        wanted: (variant, model, batch) of each: "pruned", "clustered" or "qat"; "embed",
            "compare" or "verify"; the size of a batch, None where it is free.

    Raises:
        XcosError: there is no such preset, it has no such variant, or the variant was made from
            other weights than it has.
    """
    loaded, folder = load_preset(preset), find_preset(preset)
    networks = {
        variant: load_compressed(folder, loaded.config, variant)
        for variant in dict.fromkeys(variant for variant, _, _ in wanted)
    }
    grids = {variant: compressed_grid(network) for variant, network in networks.items()}
    return [
        convert(loaded, model, "int8" if variant == "qat" else "float32", batch, grids[variant])
        for variant, model, batch in wanted
    ]


def compressed_grid(network: CompressedNetwork) -> Callable[..., tf.Tensor]:
    """Return a function from images, float32 in [−1, 1], to what the compressed network gives."""
    if network.ranges:
        operations = Int8Operations(network.weights, network.ranges)
    else:
        operations = FloatOperations(network.weights)
    return lambda image, training=False: grid_feature(image, operations)
