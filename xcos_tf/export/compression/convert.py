"""From a preset's compressed weights to the bytes of TFLite models."""

from collections.abc import Callable, Sequence

import tensorflow as tf

from xcos_tf.export.compression.int8_operations import Int8Operations
from xcos_tf.export.compression.layout import grid_feature
from xcos_tf.export.compression.operations import FloatOperations
from xcos_tf.export.compression.shipped import CompressedNetwork, load_compressed
from xcos_tf.export.tflite.convert import convert, default_attention, preset_signature
from xcos_tf.export.tflite.graph import converter_of, model_function
from xcos_tf.models.presets import Preset, find_preset, load_preset


def compressed_tflite(preset: str, variant: str, model: str, batch: int | None) -> bytes:
    """Return one TFLite model of a compressed variant; see `compressed_tflites`."""
    return compressed_tflites(preset, [(variant, model, batch)])[0]


def compressed_tflites(preset: str, wanted: Sequence[tuple[str, str, int | None]]) -> list[bytes]:
    """Return TFLite models of compressed variants, of builtin operations alone.

    All convolutions of the "qat" grid are int8, and the rest of it but its last 7×7×32 products
    and sums; its inputs are uint8 and its outputs float32. "pruned" and "clustered" are float32,
    smaller when packed. The comparison is the float32 one in each.

    Args:
        preset: name or folder of an xCos preset.
        wanted: (variant, model, batch) of each: "pruned", "clustered" or "qat"; "embed",
            "compare" or "verify"; the size of a batch, None where it is free.

    Raises:
        XcosError: there is no such preset, it has no such variant, or the variant was made from
            other weights than it has.
    """
    loaded, folder = load_preset(preset), find_preset(preset)
    default_attention(loaded)  # it has maps
    networks = {
        variant: load_compressed(folder, loaded.config, variant)
        for variant in dict.fromkeys(variant for variant, _, _ in wanted)
    }
    return [_converted(loaded, networks[variant], model, batch) for variant, model, batch in wanted]


def compressed_grid(network: CompressedNetwork) -> Callable[..., tf.Tensor]:
    """Return a function from images, float32 in [−1, 1], to what the compressed network gives."""
    if network.ranges:
        operations = Int8Operations(network.weights, network.ranges)
    else:
        operations = FloatOperations(network.weights)
    return lambda image, training=False: grid_feature(image, operations)


def _converted(loaded: Preset, network: CompressedNetwork, model: str, batch: int | None) -> bytes:
    if model == "compare":
        return convert(loaded, model, "float32", batch)
    compare = loaded.network.comparisons[default_attention(loaded)]
    function = model_function(model, compressed_grid(network), compare)
    with converter_of(function, preset_signature(loaded, model), batch) as converter:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if network.ranges:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        return converter.convert()
