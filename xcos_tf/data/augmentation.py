"""Training augmentation of aligned faces, deterministic given a seed.

Faces are uint8 (h, h, 3) RGB, 112×112 or of any other size, and come out as that. A seed is int32
(2,); the same one gives the same face.
"""

import numpy as np
import tensorflow as tf

from xcos_tf.data.occlusion import occlude_face

MOST_DRAWN_OVER = 0.5


def mirror_face(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Return a face, mirrored half the time; `augment_face` draws apart, with one seed too."""
    return tf.image.stateless_random_flip_left_right(image, _seeds(seed)[0])


def augment_face(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Return a randomly changed copy of an aligned face, which is not mirrored.

    Each by its own chance: slightly turned, scaled and shifted (as landmarks err), made greyer,
    lighter, flatter, coarser, compressed, and partly covered.
    """
    seeds = _seeds(seed)  # the first is `mirror_face`'s
    image = _jitter_alignment(image, seeds[1])
    image = _jitter_colour(image, seeds[2])
    grey = lambda x: tf.image.grayscale_to_rgb(tf.image.rgb_to_grayscale(x))  # noqa: E731
    image = _sometimes(0.1, seeds[3], image, grey)
    image = _sometimes(0.3, seeds[4], image, lambda x: _coarsen(x, seeds[4]))
    image = _sometimes(
        0.4, seeds[5], image, lambda x: tf.image.stateless_random_jpeg_quality(x, 30, 95, seeds[5])
    )
    return _sometimes(0.25, seeds[6], image, lambda x: cover_face(x, seeds[7]))


def blend_faces(image: tf.Tensor, other: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Return a face with up to half of another mixed in, somebody who does not exist.

    A teacher's cosines with such faces fill the range between genuine and impostor pairs, and a
    few hundred people make any number of them. The other's share is uniform in [0, 0.5].
    """
    share = _uniform(seed, 0.0, 0.5)
    image, other = tf.cast(image, tf.float32), tf.cast(other, tf.float32)
    return tf.saturate_cast(tf.round(image * (1 - share) + other * share), tf.uint8)


def cover_face(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Cover a rectangle of 2 to 20 % of the area with one random colour."""
    size = image.shape[0]
    draws = _uniform(seed, 0.0, 1.0, (7,))
    area, aspect = 0.02 + 0.18 * draws[0], tf.exp((draws[1] - 0.5) * 1.4)
    height, width = tf.sqrt(area / aspect), tf.sqrt(area * aspect)
    centre_y, centre_x = draws[2], draws[3]
    cells = tf.range(size, dtype=tf.float32) / size
    inside_y = tf.abs(cells - centre_y) < height / 2
    inside_x = tf.abs(cells - centre_x) < width / 2
    inside = inside_y[:, tf.newaxis, tf.newaxis] & inside_x[tf.newaxis, :, tf.newaxis]
    return tf.where(inside, tf.cast(draws[4:] * 255, tf.uint8), image)


def draw_strokes(image: tf.Tensor, seed: tf.Tensor) -> tf.Tensor:
    """Cover up to half of a face by brush strokes, see `occlude_face`; each share is as likely.

    Here a seed's numbers are 0 or above.
    """

    def draw(image, seed):
        numbers = [int(number) for number in seed]
        share = np.random.default_rng([*numbers, 1]).uniform(0, MOST_DRAWN_OVER)
        return occlude_face(image, share, numbers)

    covered = tf.numpy_function(draw, [image, seed], tf.uint8, stateful=False)
    return tf.ensure_shape(covered, image.shape)


def _seeds(seed):
    return tf.unstack(tf.random.experimental.stateless_split(seed, 8))


def _uniform(seed, low, high, shape=()):
    return tf.random.stateless_uniform(shape, seed, low, high)


def _sometimes(chance, seed, image, change):
    """Apply `change` with this chance, drawn apart from what `change` itself draws."""
    draw = _uniform(tf.random.experimental.stateless_fold_in(seed, 1), 0.0, 1.0)
    changed = tf.cond(draw < chance, lambda: change(image), lambda: image)
    changed.set_shape(image.shape)
    return changed


def _jitter_alignment(image, seed):
    """Turn by up to 6°, scale by up to 7 %, shift by up to 4 % of the side."""
    size = float(image.shape[0])
    draws = _uniform(seed, -1.0, 1.0, (4,))
    angle, scale = draws[0] * 0.105, 1.0 + 0.07 * draws[1]
    cos, sin = tf.cos(angle) * scale, tf.sin(angle) * scale
    centre = (size - 1) / 2
    shift = draws[2:] * 0.04 * size + centre
    transform = [cos, -sin, shift[0] - cos * centre + sin * centre]
    transform += [sin, cos, shift[1] - sin * centre - cos * centre, 0.0, 0.0]
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=image[tf.newaxis],
        transforms=tf.stack(transform)[tf.newaxis],
        output_shape=image.shape[:2],
        interpolation="BILINEAR",
        fill_mode="NEAREST",
        fill_value=0.0,
    )
    return moved[0]


def _jitter_colour(image, seed):
    """Change brightness by up to 15 % of the range, contrast and saturation by up to 35 %."""
    draws = _uniform(seed, -1.0, 1.0, (3,))
    x = tf.cast(image, tf.float32)
    grey = tf.reduce_mean(x, axis=-1, keepdims=True)
    x = grey + (x - grey) * (1 + 0.35 * draws[0])
    mean = tf.reduce_mean(x)
    x = mean + (x - mean) * (1 + 0.35 * draws[1]) + 38.0 * draws[2]
    return tf.saturate_cast(x, tf.uint8)


def _coarsen(image, seed):
    """Bring down to 35 to 90 % of the size and back."""
    size = image.shape[0]
    small = tf.cast(size * _uniform(seed, 0.35, 0.9), tf.int32)
    x = tf.image.resize(image, [small, small], antialias=True)
    return tf.saturate_cast(tf.image.resize(x, [size, size]), tf.uint8)
