"""The graph of each TFLite model, from pixels to scores, with its weights as constants."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import tensorflow as tf
from tensorflow import keras
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2

from xcos_tf.export.tflite.signatures import Signature
from xcos_tf.models.attention import CellSoftmax
from xcos_tf.models.preprocessing import normalise_pixels

COMPARISON = "comparison"
"""The scope of all that follows the grid features, by which its tensors are known."""


def model_function(
    model: str, grid: Callable[..., tf.Tensor], compare: keras.Model
) -> Callable[..., dict]:
    """Return a model as a function of its inputs, in the order of its signature.

    Args:
        model: "embed", "compare" or "verify".
        grid: from normalised pixels to a grid feature; called with `training=False`.
        compare: from two grid features to the score and its maps; see `comparison`.
    """
    compare = _with_plain_softmax(compare)

    def embed(image):
        return {"grid": grid(normalise_pixels(image), training=False)}

    def compare_grids(grid_a, grid_b):
        with tf.name_scope(COMPARISON):
            return compare([grid_a, grid_b])

    def verify(image_a, image_b):
        # One pass over both faces: the file holds the backbone once.
        both = embed(tf.concat([image_a, image_b], axis=0))["grid"]
        return compare_grids(*tf.split(both, 2, axis=0))

    return {"embed": embed, "compare": compare_grids, "verify": verify}[model]


def _with_plain_softmax(compare: keras.Model) -> Callable[[list], dict]:
    """Return a comparison whose softmax is spelt out.

    Of a softmax operation the converter makes int8 whenever anything else in the graph is, in
    steps of 1/256, and a cell weighs 1/49 on average.
    """
    attention = next((x for x in compare.layers if isinstance(x, keras.Model)), None)
    if attention is None or not isinstance(attention.layers[-1], CellSoftmax):
        return partial(compare, training=False)
    logits = keras.Model(attention.inputs, attention.layers[-1].input)
    similarity, product = (compare.get_layer(name) for name in ("similarity_map", "xcos"))

    def call(grids):
        similarity_map = similarity(grids)
        cells = tf.squeeze(logits(grids, training=False), axis=-1)
        powers = tf.exp(cells - tf.reduce_max(cells, axis=(1, 2), keepdims=True))
        attention_map = powers / tf.reduce_sum(powers, axis=(1, 2), keepdims=True)
        return {
            "xcos": product([similarity_map, attention_map]),
            "similarity_map": similarity_map,
            "attention_map": attention_map,
        }

    return call


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
