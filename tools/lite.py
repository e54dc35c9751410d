"""Keras networks of faces as plain TFLite models in float32, without what `xcos export` adds."""

from collections.abc import Callable

import numpy as np

from xcos_tf.export.tflite.convert import convert_function
from xcos_tf.export.tflite.signatures import IMAGE_LAYOUT, Port
from xcos_tf.models.normalisation import normalise_pixels
from xcos_tf.runtime.lite_model import SIGNATURE, interpreter_class


def lite_runner(network, batch: int, threads: int) -> Callable[[np.ndarray], np.ndarray]:
    """Return what runs a network on faces, uint8 (batch, H, W, 3), with the weights it has now.

    The network is from normalised faces to features or embeddings.
    """
    image = Port("image", network.input_shape[1:], IMAGE_LAYOUT, "uint8")

    def embed(image):
        return {"feature": network(normalise_pixels(image), training=False)}

    content = convert_function(embed, [image], batch, "float32")
    interpreter = interpreter_class()(model_content=content, num_threads=threads)
    runner = interpreter.get_signature_runner(SIGNATURE)
    return lambda faces: runner(image=faces)["feature"]
