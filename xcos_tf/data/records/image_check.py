"""Whether bytes are images that training will be able to decode."""

from collections.abc import Sequence
from functools import lru_cache

import tensorflow as tf

from xcos_tf.data.photo import MAX_PIXELS

_JPEG, _PNG = b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n"
# So that a batch does not take more memory than one photo of the greatest size.
_MAX_PIXELS_IN_BATCH = 2_000_000


def find_faults(images: Sequence[bytes]) -> list[str | None]:
    """Return for each image why it is not a whole JPEG or PNG, in a few words; None if it is.

    The decoder is TensorFlow's, the one that training uses: what passes here cannot stop a run
    later. A batch is decoded in one call, five times as fast as image by image since Python's lock
    is free meanwhile; only if that fails is each looked at by itself.
    """
    faults = [_signature_fault(image) for image in images]
    candidates = [image for image, fault in zip(images, faults, strict=True) if not fault]
    if not candidates or _decodes(candidates, _MAX_PIXELS_IN_BATCH):
        return faults
    return [fault or _find_fault(image) for image, fault in zip(images, faults, strict=True)]


def _signature_fault(image: bytes) -> str | None:
    if not image:
        return "empty"
    # TensorFlow would decode a GIF or BMP too, but they are none of a face set's formats.
    return None if image.startswith((_JPEG, _PNG)) else "not a JPEG or PNG"


def _find_fault(image: bytes) -> str | None:
    try:
        pixels = int(_pixels(tf.constant(image)))
    except tf.errors.OpError:
        return "damaged or cut short"
    if pixels > MAX_PIXELS:
        return f"more than {MAX_PIXELS // 10**6} million pixels"
    return None if _decodes([image], MAX_PIXELS) else "damaged or cut short"


def _decodes(images: list[bytes], max_pixels: int) -> bool:
    try:
        _decoder()(tf.constant(images), tf.constant(max_pixels, tf.int64))
    except tf.errors.OpError:
        return False
    return True


@lru_cache(maxsize=1)
def _decoder():
    """Return a function of images, tf.string (n,), that raises tf.errors.OpError at a fault."""

    @tf.function(input_signature=[tf.TensorSpec([None], tf.string), tf.TensorSpec([], tf.int64)])
    def decode(images, max_pixels):
        def decode_one(image):
            # Lest a small file unpacks to many gigabytes.
            small = tf.debugging.assert_less_equal(_pixels(image), max_pixels)
            with tf.control_dependencies([small]):
                return tf.size(tf.io.decode_image(image, channels=3, expand_animations=False))

        # Threads of the caller decode at once already.
        return tf.map_fn(decode_one, images, fn_output_signature=tf.int32, parallel_iterations=1)

    return decode


def _pixels(image: tf.Tensor) -> tf.Tensor:
    """Return height × width, int64 (), from a JPEG's or PNG's header alone."""

    def png_shape():
        # Two big-endian numbers in the first chunk.
        return tf.io.decode_raw(tf.strings.substr(image, 16, 8), tf.int32, little_endian=False)

    is_jpeg = tf.equal(tf.strings.substr(image, 0, len(_JPEG)), _JPEG)
    shape = tf.cond(is_jpeg, lambda: tf.io.extract_jpeg_shape(image)[:2], png_shape)
    return tf.reduce_prod(tf.cast(shape, tf.int64))
