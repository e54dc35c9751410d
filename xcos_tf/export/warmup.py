"""Requests that TF Serving plays to a version before it lets clients have it."""

from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import tensorflow as tf

from xcos_tf.export.server_messages import message_class

WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"


def write_warmup(
    version_folder: Path, name: str, signatures: Mapping[str, Callable[..., dict]]
) -> None:
    """Write one request for each signature, of one pair or face.

    A larger one would not do for a server that batches: it would refuse one against many, and with
    it the version.

    Args:
        version_folder: of the SavedModel.
        name: of the model.
        signatures: {name: traced function}.

    Raises:
        OSError, tf.errors.OpError: it cannot be written.
    """
    path = version_folder / WARMUP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, function in signatures.items():
            log = message_class("PredictionLog")()
            request = log.predict_log.request
            request.model_spec.name = name
            request.model_spec.signature_name = signature
            for spec in function.input_signature:
                tensor = tf.make_tensor_proto(_example(spec)).SerializeToString()
                request.inputs.add(key=spec.name, value=tensor)
            writer.write(log.SerializeToString())


def _example(spec: tf.TensorSpec) -> np.ndarray:
    """Return a batch of one, random but always the same: zeros take less time than faces do."""
    random = np.random.default_rng(0)
    if spec.dtype == tf.string:
        face = random.integers(0, 256, (112, 112, 3), np.uint8)
        return np.array([tf.io.encode_jpeg(face).numpy()], object)
    if spec.dtype == tf.uint8:
        return random.integers(0, 256, (1, *spec.shape[1:]), np.uint8)
    return random.normal(size=(1, *spec.shape[1:])).astype(np.float32)
