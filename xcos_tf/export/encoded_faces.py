"""From JPEG and PNG files' bytes to faces, inside a graph, one damaged file harming no other."""

import tensorflow as tf

from xcos_tf.data.alignment import FACE_SIZE
from xcos_tf.data.records.image_check import JPEG, PNG, encoded_shape

MAX_ENCODED_PIXELS = 2**24
"""The largest image that is decoded, 50 MB as RGB: a small file can claim to be a huge image."""

PARALLEL = 8


def decode_faces(encoded: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Decode images and bring each to 112×112, whatever its proportions; nothing is aligned.

    An operation that fails fails the graph, and only `tf.data` knows how to go on after one.

    Args:
        encoded: string (N,), N ≥ 1, JPEG or PNG. Transparent parts are laid over white,
            but for PNGs of up to 16 colours; an orientation that a camera noted is not applied;
            of deeper images the upper 8 bits count.

    Returns:
        uint8 (N, 112, 112, 3) RGB, black where the image was not valid; and bool (N,), whether
        there is an image that decodes from beginning to end, of 1 to 2²⁴ pixels.
    """
    black = tf.zeros((FACE_SIZE, FACE_SIZE, 3), tf.uint8)
    instead = tf.data.Dataset.from_tensors((black, False))

    def face_or_black(content: tf.Tensor) -> tf.data.Dataset:
        face = tf.data.Dataset.from_tensors(content).map(lambda x: (_decode_face(x), True))
        return face.ignore_errors().concatenate(instead).take(1)

    faces = tf.data.Dataset.from_tensor_slices(encoded).interleave(
        face_or_black, cycle_length=PARALLEL, num_parallel_calls=PARALLEL, deterministic=True
    )
    return faces.batch(tf.size(encoded, tf.int64)).get_single_element()


def _decode_face(content: tf.Tensor) -> tf.Tensor:
    """Return uint8 (112, 112, 3), or fail in any way."""
    is_jpeg = tf.equal(tf.strings.substr(content, 0, len(JPEG)), JPEG)
    is_png = tf.equal(tf.strings.substr(content, 0, len(PNG)), PNG)
    with tf.control_dependencies([tf.debugging.Assert(is_jpeg | is_png, ["another format"])]):
        sides = tf.cast(encoded_shape(content), tf.int64)
    most = tf.constant(MAX_ENCODED_PIXELS, tf.int64)
    with tf.control_dependencies([tf.debugging.assert_less_equal(tf.reduce_prod(sides), most)]):
        pixels = tf.cond(is_jpeg, lambda: _jpeg_pixels(content), lambda: _png_pixels(content))
    size = (FACE_SIZE, FACE_SIZE)
    resized = tf.image.resize(pixels, size, antialias=True)  # exact where that is its size
    return tf.cast(tf.round(tf.clip_by_value(resized, 0, 255)), tf.uint8)


def _jpeg_pixels(content: tf.Tensor) -> tf.Tensor:
    # The accurate transform is what Pillow uses too.
    pixels = tf.io.decode_jpeg(content, channels=3, dct_method="INTEGER_ACCURATE")
    return tf.cast(pixels, tf.float32)


def _png_pixels(content: tf.Tensor) -> tf.Tensor:
    # Fewer bits than 8, with or without a palette: the decoder makes a wrong alpha channel of none.
    bits = tf.io.decode_raw(tf.strings.substr(content, 24, 1), tf.uint8)[0]
    opaque = lambda: tf.cast(tf.io.decode_png(content, channels=3), tf.float32)  # noqa: E731
    return tf.cond(bits < 8, opaque, lambda: _pixels_on_white(content))


def _pixels_on_white(content: tf.Tensor) -> tf.Tensor:
    pixels = tf.cast(tf.io.decode_png(content, channels=4), tf.float32)
    alpha = pixels[..., 3:] / 255.0
    return tf.round(pixels[..., :3] * alpha + 255.0 * (1.0 - alpha))
