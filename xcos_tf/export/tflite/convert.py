"""From a loaded preset to the bytes of a TFLite model, in a variant that needs no training."""

from collections.abc import Callable

import tensorflow as tf

from xcos_tf.errors import XcosError
from xcos_tf.export.tflite.graph import converter_of, model_function
from xcos_tf.export.tflite.signatures import Signature, signature_of
from xcos_tf.models.presets import PREPROCESSING, Preset


def default_attention(preset: Preset) -> str:
    """Return the attention that a preset's TFLite files score by, the one that Python defaults to.

    Raises:
        XcosError: the preset has no maps.
    """
    if not preset.network.explains:
        raise XcosError(
            f"the preset {preset.config['name']!r} gives no maps and has no TFLite form; export an "
            "xCos preset, such as xcos-mobilefacenet"
        )
    return preset.network.attention


def preset_signature(preset: Preset, model: str) -> Signature:
    """Return what a model of a preset takes and gives."""
    grid = preset.network.features
    return signature_of(
        model, grid.input_shape[1:], grid.output_shape[1:], PREPROCESSING["normalisation"]
    )


def convert(
    preset: Preset,
    model: str,
    variant: str,
    batch: int | None,
    grid: Callable[..., tf.Tensor] | None = None,
) -> bytes:
    """Return a TFLite model, of builtin operations alone.

    Args:
        preset: an xCos preset.
        model: "embed", "compare" or "verify".
        variant: "float32"; "float16", its weights as 16-bit floats; "dynamic", its weights as 8-bit
            integers and what passes between operations as floats; or "int8", whose grid is
            8-bit integers throughout and whose comparison is that of "float32".
        batch: the size of a batch; None where it is free.
        grid: from normalised pixels to a grid feature, in place of the preset's own; of "int8",
            from `int8_grid`.
    """
    compare = preset.network.comparisons[default_attention(preset)]
    function = model_function(model, grid or preset.network.features, compare)
    exact = variant == "float32" or (variant == "int8" and model == "compare")
    with converter_of(function, preset_signature(preset, model), batch) as converter:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if not exact:
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if variant == "float16":
            converter.target_spec.supported_types = [tf.float16]
        return converter.convert()
