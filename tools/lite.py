"""Keras networks of faces as plain TFLite models in float32, without what `xcos export` adds."""

import os
from collections.abc import Callable
from functools import cache

import numpy as np

from xcos_tf.export.tflite.convert import convert_function
from xcos_tf.export.tflite.signatures import IMAGE_LAYOUT, Port
from xcos_tf.models.normalisation import normalise_pixels
from xcos_tf.runtime.lite_model import SIGNATURE, interpreter_class


def lite_runner(
    network, threads: int | None = None, batch: int | None = None
) -> Callable[[np.ndarray], np.ndarray]:
    """Return what runs a network on faces, uint8 (N, H, W, 3), with the weights that it has now.

    Args:
        network: from normalised faces to features or embeddings.
        threads: to run on; as many as this process may use if None.
        batch: N, if it is always the same.
    """
    image = Port("image", network.input_shape[1:], IMAGE_LAYOUT, "uint8")

    def embed(image):
        return {"feature": network(normalise_pixels(image), training=False)}

    content = convert_function(embed, [image], batch, "float32")
    threads = threads or (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    )

    @cache
    def runner(size: int):  # one that changes its batch allocates anew
        interpreter = interpreter_class()(model_content=content, num_threads=threads)
        return interpreter.get_signature_runner(SIGNATURE)

    return lambda faces: runner(len(faces))(image=np.asarray(faces, np.uint8))["feature"]
