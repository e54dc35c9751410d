"""From a face set to the batches that a `Trainer` takes."""

from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from xcos_tf.data.augmentation import augment_face, blend_faces, cover_face
from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.sampling import GroupSampler


@dataclass(frozen=True)
class Augmentation:
    """Chances, in [0, 1], of what happens to a face; each is drawn by itself.

    Attributes:
        flip: mirrored.
        augment: changed by `augment_face`.
        blend: mixed with a random face of the set by `blend_faces`; it keeps its label.
        occlude: partly covered by `cover_face`.
    """

    flip: float = 0.5
    augment: float = 0.0
    blend: float = 0.0
    occlude: float = 0.0


def training_dataset(
    faces: FaceSet,
    sampler: GroupSampler,
    augmentation: Augmentation,
    first_step: int,
    last_step: int,
    groups: range,
    size: int = 112,
    batch_groups: int | None = None,
) -> tf.data.Dataset:
    """Return the batches of steps `first_step` up to, not including, `last_step`.

    What a step holds depends on the step and the sampler's seed alone, so a run that starts again
    at a step sees what it would have seen.

    Args:
        faces: to draw from.
        sampler: of groups, over `faces.labels`.
        augmentation: of each face.
        first_step, last_step: 0 ≤ first ≤ last.
        groups: which groups of each step's batch; a worker of several reads its own alone.
        size: of the square faces, pixels.
        batch_groups: groups in an element; all of `groups` when None.

    Returns:
        Elements as `Trainer` takes them: "input" float32 (G, N, size, size, 3) in [−1, 1],
        "label" int32 (G, N), "first", "second" int32 (G, P) and "same" int32 (G, P).

    Raises:
        tf.errors.InvalidArgumentError: on reading, if a face is not of this size.
    """
    per_group, pairs = sampler.people * sampler.faces, sampler.pairs

    def group_of(number):
        step, place = divmod(int(number), len(groups))
        return first_step + step, groups[place]

    def read(number):
        step, group = group_of(number)
        drawn = sampler.draw(step, group).faces
        random = np.random.default_rng([sampler.seed, step, group, 1])
        seeds = random.integers(2**31, size=(per_group, 2), dtype=np.int32)
        chances = random.random((per_group, 4), dtype=np.float32)
        others = random.integers(len(faces), size=per_group)
        blended = chances[:, 2] < augmentation.blend
        mixed_in = np.array([b""] * per_group, object)
        mixed_in[blended] = faces.read(others[blended])
        return np.array(faces.read(drawn), object), mixed_in, seeds, chances

    def read_group(number):
        values = tf.numpy_function(
            read, [number], (tf.string, tf.string, tf.int32, tf.float32), stateful=False
        )
        for value, shape in zip(values, ((), (), (2,), (4,)), strict=True):
            value.set_shape((per_group, *shape))
        return tuple(values)

    def pairs_of(number):
        group = sampler.draw(*group_of(number))
        return group.labels, group.first, group.second, group.same.astype(np.int32)

    def read_pairs(number):
        values = tf.numpy_function(pairs_of, [number], (tf.int32,) * 4, stateful=False)
        for value, length in zip(values, (per_group, pairs, pairs, pairs), strict=True):
            value.set_shape((length,))
        return dict(zip(("label", "first", "second", "same"), values, strict=True))

    def prepare(image, other, seed, chances):
        return _prepare(image, other, seed, chances, augmentation, size)

    numbers = tf.data.Dataset.range((last_step - first_step) * len(groups))
    options = {"num_parallel_calls": tf.data.AUTOTUNE, "deterministic": True}
    images = (
        numbers.map(read_group, **options).unbatch().map(prepare, **options).batch(per_group, True)
    )
    batches = tf.data.Dataset.zip((images, numbers.map(read_pairs, **options)))
    batches = batches.map(lambda images, group: {"input": images, **group})
    return batches.batch(batch_groups or len(groups), True).prefetch(tf.data.AUTOTUNE)


def decode_face(image: tf.Tensor, size: int = 112) -> tf.Tensor:
    """Return an encoded JPEG or PNG face as uint8 (size, size, 3) RGB."""
    # It reads PNG too. TensorFlow's default is a faster, coarser way that no other reader takes.
    pixels = tf.io.decode_jpeg(image, channels=3, dct_method="INTEGER_ACCURATE")
    return tf.ensure_shape(pixels, (size, size, 3))


def _prepare(image, other, seed, chances, augmentation, size):
    seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    face = decode_face(image, size)

    def change(face, applies, function):
        return tf.ensure_shape(
            tf.cond(applies, lambda: function(face), lambda: face), (size, size, 3)
        )

    if augmentation.blend:
        blend = lambda x: blend_faces(x, decode_face(other, size), seeds[0])  # noqa: E731
        face = change(face, tf.strings.length(other) > 0, blend)
    if augmentation.augment:
        augment = lambda x: augment_face(x, seeds[1])  # noqa: E731
        face = change(face, chances[1] < augmentation.augment, augment)
    if augmentation.occlude:
        cover = lambda x: cover_face(x, seeds[2])  # noqa: E731
        face = change(face, chances[3] < augmentation.occlude, cover)
    if augmentation.flip:
        face = change(face, chances[0] < augmentation.flip, tf.image.flip_left_right)
    return (tf.cast(face, tf.float32) - 127.5) / 128.0
