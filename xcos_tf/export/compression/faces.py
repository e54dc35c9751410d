"""The faces that a network is fine-tuned on, the same at each step whenever it is made."""

import numpy as np
import tensorflow as tf

from xcos_tf.data.augmentation import augment_face, mirror_face
from xcos_tf.data.face_set import FaceSet, hold_out, join_sets
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.training_input import decode_face, face_batches, normalise_faces
from xcos_tf.export.compression.request import Request

AUGMENTED = 0.5


def faces_of(request: Request) -> tuple[FaceSet, FaceSet]:
    """Return the faces of the people whom the preset was trained on, and of those held out.

    Raises:
        XcosError: a set is not there, or has too few people.
    """
    everyone = join_sets([PreparedSet(folder) for folder in request.sets])
    return hold_out(everyone, request.hold_out, request.hold_out_seed)


def face_order(faces: int, needed: int, seed: int) -> np.ndarray:
    """Return int64 positions (needed,): all faces in random order, then again in another, …"""
    random = np.random.default_rng(seed)
    rounds = -(-needed // faces)
    return np.concatenate([random.permutation(faces) for _ in range(rounds)])[:needed]


def training_batches(faces: FaceSet, request: Request, first_step: int) -> tf.data.Dataset:
    """Return the batches of steps `first_step` up to the last.

    Half of the faces are changed as in training, see `augment_face`, and half of these mirrored.

    Returns:
        Elements float32 (batch, 112, 112, 3) RGB in [−1, 1].
    """
    order = face_order(len(faces), request.steps * request.batch, request.seed)

    def read(number):
        return faces.read(order[number : number + 1])[0]

    def face(number):
        image = tf.ensure_shape(tf.numpy_function(read, [number], tf.string), ())
        pixels = decode_face(image)
        seed = tf.stack([tf.constant(request.seed, tf.int32), tf.cast(number, tf.int32)])
        changed = tf.random.stateless_uniform((), seed) < AUGMENTED
        change = lambda: augment_face(mirror_face(pixels, seed), seed)  # noqa: E731
        pixels = tf.cond(changed, change, lambda: pixels)
        return tf.ensure_shape(pixels, (112, 112, 3))

    numbers = tf.data.Dataset.range(first_step * request.batch, len(order))
    return (
        numbers.map(face, num_parallel_calls=2, deterministic=True)
        .batch(request.batch, drop_remainder=True)
        .map(normalise_faces)
        .prefetch(2)
    )


def calibration_faces(faces: FaceSet, request: Request) -> np.ndarray:
    """Return some faces as they are, float32 (N, 112, 112, 3) in [−1, 1]."""
    count = min(request.calibration, len(faces))
    chosen = np.random.default_rng([request.seed, 1]).choice(len(faces), count, replace=False)
    return next(iter(face_batches(faces, chosen, batch=count))).numpy()
