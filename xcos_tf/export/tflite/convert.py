"""From a loaded preset to the bytes of a TFLite model, with the weights as constants."""

import tempfile
from collections.abc import Callable, Sequence

import tensorflow as tf
from tensorflow.lite.tools import flatbuffer_utils
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from xcos_tf.export.tflite.signatures import Port
from xcos_tf.models.network import FaceEmbedder, XCos
from xcos_tf.models.normalisation import normalise_pixels

COMPARISON = "comparison"
"""The scope of all that follows the grid features, by which its tensors are known."""


def model_function(
    network: FaceEmbedder | XCos, model: str, grid: Callable[..., tf.Tensor] | None = None
) -> Callable[..., dict]:
    """Return a model as a function of its inputs, in the order of its signature.

    Args:
        network: of the preset.
        model: one of `MODELS`, or of `PLAIN_MODELS` for a plain preset.
        grid: from normalised pixels to a grid feature, called with `training=False`; by default
            the network's own.
    """

    def head(feature_map):
        return {"embedding": network.head(feature_map, training=False)}

    def embed_plain(image):
        feature_map = network.backbone(normalise_pixels(image), training=False)
        return {**head(feature_map), "feature_map": feature_map}

    if not network.explains:
        return {"embed": embed_plain, "head": head}[model]
    compare = network.comparisons[network.attention]
    grid = grid or network.features

    def embed(image):
        return {"grid": grid(normalise_pixels(image), training=False)}

    def compare_grids(grid_a, grid_b):
        with tf.name_scope(COMPARISON):
            return compare([grid_a, grid_b], training=False)

    def verify(image_a, image_b):
        # One pass over both faces: the file holds the backbone once.
        both = embed(tf.concat([image_a, image_b], axis=0))["grid"]
        return compare_grids(*tf.split(both, 2, axis=0))

    return {"embed": embed, "compare": compare_grids, "verify": verify}[model]


def convert_function(
    function: Callable[..., dict], inputs: Sequence[Port], batch: int | None, variant: str
) -> bytes:
    """Return a TFLite model, of builtin operations alone.

    Args:
        function: of these inputs, as `model_function` returns it.
        batch: the size of a batch; None where it is free.
        variant: "float32"; "float16", its weights as 16-bit floats; "dynamic", its weights as 8-bit
            integers and what passes between operations as floats; or "int8", of a function whose
            results are rounded.
    """
    specs = [tf.TensorSpec((batch, *x.shape), x.dtype, name=x.name) for x in inputs]
    traced = tf.function(function).get_concrete_function(*specs)
    # Not left to the converter, which keeps Keras 3's weights as variables with initialisers.
    frozen = convert_variables_to_constants_v2(traced)
    names = sorted(traced.structured_outputs)
    module = tf.Module()
    module.serve = tf.function(
        lambda *inputs: dict(zip(names, frozen(*inputs), strict=True)), input_signature=specs
    )
    with tempfile.TemporaryDirectory() as folder:
        tf.saved_model.save(module, folder, signatures={"serving_default": module.serve})
        converter = tf.lite.TFLiteConverter.from_saved_model(folder)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        if variant != "float32":
            converter.optimizations = [tf.lite.Optimize.DEFAULT]
        if variant == "float16":
            converter.target_spec.supported_types = [tf.float16]
        return without_tensor_names(converter.convert())


def without_tensor_names(content: bytes) -> bytes:
    """Return a TFLite model whose tensors have no names but its inputs and outputs.

    Nobody asks for the others, which are a fortieth of a float16 file.
    """
    model = flatbuffer_utils.convert_bytearray_to_object(bytearray(content))
    for graph in model.subgraphs:
        kept = {*graph.inputs, *graph.outputs}
        for number, tensor in enumerate(graph.tensors):
            if number not in kept:
                tensor.name = b""
    return bytes(flatbuffer_utils.convert_object_to_bytearray(model))
