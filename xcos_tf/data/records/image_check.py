"""Whether bytes are images that training will be able to decode."""

import io
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import tensorflow as tf
from PIL import Image

from xcos_tf.data.photo import MAX_PIXELS

JPEG, PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
# So that a batch does not take more memory than one photo of the greatest size.
_MAX_PIXELS_IN_BATCH = 2_000_000
_ANY = (0, 0)


def usual_size(images: Iterable[bytes]) -> tuple[int, int] | None:
    """Return the height and width that most images have, by their headers; None if none has any."""
    sizes = Counter(filter(None, map(image_size, images)))
    return max(sizes, key=sizes.get) if sizes else None


def image_size(image: bytes) -> tuple[int, int] | None:
    """Return the height and width of an image, by its header; None if it has none."""
    try:
        with Image.open(io.BytesIO(image), formats=("JPEG", "PNG")) as opened:
            return opened.height, opened.width
    except Exception:
        return None


def find_problems(images: Sequence[bytes], size: tuple[int, int] | None = None) -> list[str | None]:
    """Return for each image why it is not a whole JPEG or PNG, in a few words; None if it is.

    One of another height and width than `size` would stop a run, and has a problem too.

    The decoder is TensorFlow's, the one that training uses: what passes here cannot stop a run
    later. A batch is decoded in one call, five times as fast as image by image since Python's lock
    is free meanwhile; only if that fails is each looked at by itself.
    """
    # TensorFlow would decode a GIF or BMP too, but they are none of a face set's formats.
    problems = [
        None if image.startswith((JPEG, PNG)) else "not a JPEG or PNG" if image else "empty"
        for image in images
    ]
    candidates = [image for image, problem in zip(images, problems, strict=True) if not problem]
    if not candidates or _decodes(candidates, _MAX_PIXELS_IN_BATCH, size):
        return problems
    return [
        problem or _find_problem(image, size)
        for image, problem in zip(images, problems, strict=True)
    ]


def _find_problem(image: bytes, size: tuple[int, int] | None) -> str | None:
    try:
        height, width = map(int, encoded_shape(tf.constant(image)))
    except tf.errors.OpError:
        return "damaged or cut short"
    if height * width > MAX_PIXELS:
        return f"more than {MAX_PIXELS // 10**6} million pixels"
    if not _decodes([image], MAX_PIXELS, None):
        return "damaged or cut short"
    if size and (height, width) != size:
        return f"of {width}×{height} pixels, and most of the set are of {size[1]}×{size[0]}"
    return None


def _decodes(images: list[bytes], max_pixels: int, size: tuple[int, int] | None) -> bool:
    try:
        limits = tf.constant(max_pixels, tf.int64), tf.constant(size or _ANY)
        _decoder()(tf.constant(images), *limits)
    except tf.errors.OpError:
        return False
    return True


@lru_cache(maxsize=1)
def _decoder():
    """Return a function of images, tf.string (n,), that raises tf.errors.OpError at a problem."""

    kinds = ([None], tf.string), ([], tf.int64), ([2], tf.int32)

    @tf.function(input_signature=[tf.TensorSpec(*kind) for kind in kinds])
    def decode(images, max_pixels, size):
        def decode_one(image):
            shape = encoded_shape(image)
            # Lest a small file unpacks to many gigabytes.
            pixels = tf.reduce_prod(tf.cast(shape, tf.int64))
            small = tf.debugging.assert_less_equal(pixels, max_pixels)
            usual = tf.debugging.assert_equal(tf.where(size > 0, shape, size), size)
            with tf.control_dependencies([small, usual]):
                return tf.size(tf.io.decode_image(image, channels=3, expand_animations=False))

        # Threads of the caller decode at once already.
        return tf.map_fn(decode_one, images, fn_output_signature=tf.int32, parallel_iterations=1)

    return decode


def encoded_shape(image: tf.Tensor) -> tf.Tensor:
    """Return height and width, int32 (2,), from a JPEG's or PNG's header alone."""

    def png_shape():
        # Width and height, big-endian, in the first chunk.
        numbers = tf.strings.substr(image, 16, 8)
        return tf.io.decode_raw(numbers, tf.int32, little_endian=False)[::-1]

    is_jpeg = tf.equal(tf.strings.substr(image, 0, len(JPEG)), JPEG)
    return tf.cond(is_jpeg, lambda: tf.io.extract_jpeg_shape(image)[:2], png_shape)
