"""From a face set to batches: as a `Trainer` takes them, or of the faces as they are."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import astuple, dataclass

import numpy as np
import tensorflow as tf

from xcos_tf.data.augmentation import augment_face, blend_faces, cover_face, draw_strokes
from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.sampling import Sampler
from xcos_tf.errors import XcosError

RECORDS_AT_ONCE = 128

_OWN = re.compile(r"XcosError: (.+)")
_SHAPE = re.compile(r"\[(\d+),(\d+),3\] is not compatible with expected shape \[(\d+),(\d+),3\]")


@dataclass(frozen=True)
class Augmentation:
    """Chances, in [0, 1], of what happens to a face; each is drawn by itself."""

    flip: float = 0.5  # mirrored
    augment: float = 0.0  # changed by `augment_face`
    blend: float = 0.0  # mixed with a random face of the set by `blend_faces`; keeps its label
    occlude: float = 0.0  # covered by a rectangle, see `cover_face`
    strokes: float = 0.0  # covered by brush strokes, see `draw_strokes`


def training_dataset(
    faces: FaceSet,
    sampler: Sampler,
    augmentation: Augmentation,
    first_step: int,
    last_step: int,
    groups: range,
    size: int = 112,
    batch_groups: int | None = None,
    teacher: np.ndarray | None = None,
) -> tf.data.Dataset:
    """Return the batches of steps `first_step` up to, not including, `last_step`.

    What a step holds depends on the step and the sampler's seed alone, so a run that starts again
    at a step sees what it would have seen.

    Args:
        faces, sampler: what is drawn from, and how, over `faces.labels`.
        augmentation: of each face.
        first_step, last_step: 0 ≤ first ≤ last.
        groups: which groups of each step's batch; a worker of several reads its own alone.
        size: of the square faces, pixels.
        batch_groups: groups in an element; all of `groups` when None.
        teacher: float32 (len(faces), dimension), what a teacher makes of the faces as they are,
            of unit length; None where it is asked about them as they become.

    Returns:
        Elements as `Trainer` takes them: "input" float32 (G, N, size, size, 3) in [−1, 1],
        "label" int32 (G, N), "first", "second" int32 (G, P) and "same" int32 (G, P); and "teacher"
        float32 (G, N, dimension) if it is given.

    Raises:
        tf.errors.InvalidArgumentError: on reading, if a face is not of this size.
    """
    per_group, pairs = sampler.size, sampler.pairs
    chances = astuple(augmentation)  # of flip, augment, blend, occlude and strokes

    def draw(number):
        step, place = divmod(int(number), len(groups))
        step, group = first_step + step, groups[place]
        drawn = sampler.draw(step, group)
        random = np.random.default_rng([sampler.seed, step, group, 1])
        seeds = random.integers(2**31, size=(per_group, 2), dtype=np.int32)
        applies = random.random((per_group, len(chances)), dtype=np.float32) < chances
        others = random.integers(len(faces), size=per_group)
        blended = applies[:, 2]
        mixed_in = np.full(per_group, b"", object)
        mixed_in[blended] = faces.read(others[blended])
        images = np.array(faces.read(drawn.faces), object)
        pair = drawn.first, drawn.second, drawn.same.astype(np.int32)
        known = () if teacher is None else (teacher[drawn.faces],)
        return images, mixed_in, seeds, applies, drawn.labels, *pair, *known

    specs = {
        **dict.fromkeys(("image", "other"), tf.TensorSpec([per_group], tf.string)),
        "seed": tf.TensorSpec([per_group, 2], tf.int32),
        "applies": tf.TensorSpec([per_group, len(chances)], tf.bool),
        "label": tf.TensorSpec([per_group], tf.int32),
        **dict.fromkeys(("first", "second", "same"), tf.TensorSpec([pairs], tf.int32)),
    }
    if teacher is not None:
        specs["teacher"] = tf.TensorSpec([per_group, teacher.shape[1]], tf.float32)

    def change(face):
        return _change(*face, augmentation, size)

    def read_group(number):
        group = drawn_in_python(draw, number, specs)
        drawn = tuple(group.pop(name) for name in ("image", "other", "seed", "applies"))
        face = tf.TensorSpec((size, size, 3), tf.uint8)
        return tf.map_fn(change, drawn, fn_output_signature=face), group

    return (
        tf.data.Dataset.range((last_step - first_step) * len(groups))
        .map(read_group, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_groups or len(groups), drop_remainder=True)
        .map(lambda images, group: {"input": normalise_faces(images), **group})
        .prefetch(tf.data.AUTOTUNE)
    )


def drawn_in_python(
    draw: Callable[[np.ndarray], Sequence], number: tf.Tensor, specs: Mapping[str, tf.TensorSpec]
) -> dict[str, tf.Tensor]:
    """Return what `draw` gives for a number, by name and in the order of `specs`.

    It is one call for all that needs Python, whose lock is held meanwhile.
    """
    dtypes = [spec.dtype for spec in specs.values()]
    values = tf.numpy_function(draw, [number], dtypes, stateful=False)
    for value, spec in zip(values, specs.values(), strict=True):
        value.set_shape(spec.shape)
    return dict(zip(specs, values, strict=True))


def face_batches(faces, positions: np.ndarray, size: int = 112, batch: int = RECORDS_AT_ONCE):
    """Return the faces of a `FaceSet` or `PreparedSet` at int positions (n,), as they are.

    Returns:
        A dataset of float32 (batch, size, size, 3) RGB in [−1, 1]; the last may have fewer faces.

    Raises:
        tf.errors.InvalidArgumentError: on reading, if a face is not of this size.
    """

    face = tf.TensorSpec((size, size, 3), tf.uint8)

    def read(block):
        return np.array(faces.read(block), object)

    def read_block(block):
        images = tf.ensure_shape(tf.numpy_function(read, [block], tf.string), (None,))
        pixels = tf.map_fn(lambda x: decode_face(x, size), images, fn_output_signature=face)
        return normalise_faces(pixels)

    blocks = tf.data.Dataset.from_tensor_slices(np.asarray(positions, np.int64)).batch(batch)
    return blocks.map(read_block, num_parallel_calls=2).prefetch(2)


@contextmanager
def reading_problems() -> Iterator[None]:
    """Raise what TensorFlow says of unreadable faces as an XcosError.

    `tf.data` wraps an XcosError of a reader in an error of its own, with a traceback in the text;
    and a face of another size breaks a promise about shapes. Other errors pass unchanged.
    """
    try:
        yield
    except tf.errors.OpError as error:
        if own := _OWN.search(str(error)):
            raise XcosError(own[1]) from None
        if shape := _SHAPE.search(str(error)):
            height, width, *expected = shape.groups()
            raise XcosError(
                f"a face of the sets is {width}×{height} pixels and the models take "
                f"{expected[1]}×{expected[0]}; prepare faces that `xcos align` made"
            ) from None
        raise


def decode_face(image: tf.Tensor, size: int = 112) -> tf.Tensor:
    """Return an encoded JPEG or PNG face as uint8 (size, size, 3) RGB."""
    # It reads PNG too. TensorFlow's default is a faster, coarser way that no other reader takes.
    pixels = tf.io.decode_jpeg(image, channels=3, dct_method="INTEGER_ACCURATE")
    return tf.ensure_shape(pixels, (size, size, 3))


def _change(image, other, seed, applies, augmentation, size):
    """Return an encoded face decoded and changed, uint8 (size, size, 3)."""
    face = decode_face(image, size)

    def change(face, applies, function):
        changed = tf.cond(applies, lambda: function(face), lambda: face)
        return tf.ensure_shape(changed, (size, size, 3))

    if any(astuple(augmentation)[1:]):
        seeds = tf.unstack(tf.random.experimental.stateless_split(seed, 3))
    if augmentation.blend:
        blend = lambda x: blend_faces(x, decode_face(other, size), seeds[0])  # noqa: E731
        face = change(face, applies[2], blend)
    if augmentation.augment:
        face = change(face, applies[1], lambda x: augment_face(x, seeds[1]))
    if augmentation.occlude:
        face = change(face, applies[3], lambda x: cover_face(x, seeds[2]))
    if augmentation.strokes:
        face = change(face, applies[4], lambda x: draw_strokes(x, seed))
    if augmentation.flip:
        face = change(face, applies[0], tf.image.flip_left_right)
    return face


def normalise_faces(faces: tf.Tensor) -> tf.Tensor:
    """Return (x − 127.5) / 128 of uint8 `faces` of any shape, as float32.

    Dequantising to that range gives the same to the last bit, in one pass over the memory instead
    of three.
    """
    limit = 127.5 / 128
    return tf.quantization.dequantize(tf.bitcast(faces, tf.quint8), -limit, limit)
