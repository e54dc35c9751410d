"""Faces of a set in a given order, ready for a backbone."""

import numpy as np
import tensorflow as tf

from xcos_tf.data.training_input import decode_face, normalise_faces

BATCH = 128


def face_batches(faces, positions: np.ndarray, size: int = 112, batch: int = BATCH):
    """Return the faces at some positions, as they are.

    Args:
        faces: a `FaceSet` or a `RecordSet`, which has `read`.
        positions: int (n,).
        size: of the square faces, pixels.
        batch: faces in an element; the last may have fewer.

    Returns:
        A dataset of float32 (batch, size, size, 3) RGB in [−1, 1].

    Raises:
        tf.errors.InvalidArgumentError: on reading, if a face is not of this size.
    """

    def read(block):
        return np.array(faces.read(block), object)

    def read_block(block):
        images = tf.ensure_shape(tf.numpy_function(read, [block], tf.string), (None,))
        decode = lambda image: decode_face(image, size)  # noqa: E731
        pixels = tf.map_fn(
            decode, images, fn_output_signature=tf.TensorSpec((size, size, 3), tf.uint8)
        )
        return normalise_faces(pixels)

    blocks = tf.data.Dataset.from_tensor_slices(np.asarray(positions, np.int64)).batch(batch)
    return blocks.map(read_block, num_parallel_calls=2).prefetch(2)
