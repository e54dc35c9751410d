"""The backbone with an embedding and without xCos, for `verify` to be timed against."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from xcos_tf.export.tflite.graph import converter_of
from xcos_tf.export.tflite.signatures import signature_of
from xcos_tf.mobile.lite_model import SIGNATURE, interpreter_class
from xcos_tf.models.preprocessing import normalise_pixels
from xcos_tf.models.presets import PREPROCESSING, load_preset

PRESET = "mobilefacenet"


def bare_backbone() -> bytes:
    """Return a TFLite model in float32 from one face, uint8 (1, H, W, 3), to its embedding.

    That is `PRESET`, whose backbone the xCos presets took over.
    """
    embedder = load_preset(PRESET).network
    signature = signature_of("embed", embedder.input_shape[1:], (), PREPROCESSING["normalisation"])

    def embed(image):
        return {"embedding": embedder(normalise_pixels(image), training=False)}

    with converter_of(embed, signature, 1) as converter:
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS]
        return converter.convert()


def running(content: bytes, face: np.ndarray, threads: int) -> Callable[[], dict]:
    """Return what runs a model of `bare_backbone` on a face, by so many threads."""
    interpreter = interpreter_class()(model_content=content, num_threads=threads)
    run = interpreter.get_signature_runner(SIGNATURE)
    return lambda: run(image=face)
