"""The graph of each TFLite model, from pixels to scores, with its weights as constants."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import tensorflow as tf
from tensorflow import keras
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from xcos_tf.export.tflite.signatures import Signature
from xcos_tf.models.preprocessing import normalise_pixels

COMPARISON = "comparison"
"""The scope of all that follows the grid features, by which its tensors are known."""


def model_function(model: str, grid: keras.Model, compare: keras.Model) -> Callable[..., dict]:
    """Return a model as a function of its inputs, in the order of its signature.

    Args:
        model: "embed", "compare" or "verify".
        grid: from normalised pixels to a grid feature.
        compare: from two grid features to the score and its maps.
    """

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


@contextmanager
def converter_of(
    function: Callable[..., dict], signature: Signature, batch: int | None
) -> Iterator[tf.lite.TFLiteConverter]:
    """Yield a converter of a function, whose signature it keeps by name.

    Args:
        function: from `model_function`.
        signature: of the same model.
        batch: the size of a batch; None where it is free.
    """
    specs = [tf.TensorSpec((batch, *x.shape), x.dtype, name=x.name) for x in signature.inputs]
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
        yield tf.lite.TFLiteConverter.from_saved_model(folder)
