"""Fitting a preset's model of covered cells to what covering did."""

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.errors import XcosError
from xcos_tf.explain.faithfulness.maps import rank_correlation
from xcos_tf.explain.whatif.covering import CoveredFaces
from xcos_tf.explain.words import TRUSTED_DROP
from xcos_tf.models.whatif import covered_grids
from xcos_tf.progress import Bar

STEPS = 5000
BATCH = 8  # faces, each in one genuine and one impostor pair
CHANNELS = 10
LEARNING_RATE = 3e-3
SOFTNESS = 0.2  # of a rank, in standard deviations of the drops
OF_SIZES, OF_GRIDS = 0.1, 0.1  # of the loss, beside the correlation


def fit_covered_grids(
    faces: CoveredFaces,
    compare: keras.Model,
    seed: int,
    steps: int = STEPS,
    channels: int = CHANNELS,
) -> keras.Model:
    """Return a model from grids to the grids with each cell covered, see `covered_grids`.

    It learns to give the drops of the score that covering gave: by their correlation over the cells
    of a face, which is what a map is judged by, by their sizes, and by the grids themselves.

    Args:
        faces: of two people or more.
        compare: from two grids to `xcos`, as a network's `comparisons`.
        seed: of the model's first weights, and of the draw.
        steps: of `BATCH` faces.
        channels: see `covered_grids`.
    """
    keras.utils.set_random_seed(seed)
    model = covered_grids(faces.grids.shape[1:], channels)
    model.get_layer("standard").adapt(faces.grids)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.CosineDecay(LEARNING_RATE, steps))
    optimizer.build(model.trainable_variables)
    sizes = _sizes(faces)
    layer = model.get_layer("covered")
    layer.size.assign(sizes)
    layer.mean.assign(faces.grids.mean(axis=0))
    mates = Mates(faces.labels, np.random.default_rng(seed))

    @tf.function
    def step(grids, covered, others):
        target = _drops(compare, grids, covered, others)
        with tf.GradientTape() as tape:
            guessed = model(grids, training=True)
            drops = _drops(compare, grids, guessed, others)
            correlation = tf.reduce_mean(_standard(_ranks(drops)) * _standard(_ranks(target)))
            spread = tf.math.reduce_variance(target, axis=-1, keepdims=True) + 1e-6
            of_sizes = tf.reduce_mean(tf.square(drops - target) / spread)
            of_grids = tf.reduce_mean(tf.square((guessed - covered) / sizes))
            loss = -correlation + OF_SIZES * of_sizes + OF_GRIDS * of_grids
        gradients = tape.gradient(loss, model.trainable_variables)
        gradients, _ = tf.clip_by_global_norm(gradients, 1.0)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        return correlation

    with Bar(total=steps, desc="fitting", unit="step") as bar:
        for _ in range(steps):
            first, *others = mates.draw(BATCH)
            covered = faces.covered[first].astype(np.float32)
            others = np.stack([faces.grids[x] for x in others], axis=1)
            found = float(step(*map(tf.constant, (faces.grids[first], covered, others))))
            if not np.isfinite(found):
                raise XcosError(
                    "the preset gives no finite features of covered faces; use weights that give "
                    "numbers"
                )
            bar.set_postfix(correlation=f"{found:.3f}", refresh=False)
            bar.update()
    return model


def agreement(faces: CoveredFaces, model, compare: keras.Model, seed: int) -> dict[str, float]:
    """Return how well guessed drops agree with true ones over pairs of faces.

    Each face makes one genuine pair, if it can, and one impostor pair; see `fit_covered_grids`.

    Returns:
        `rank_correlation`, the mean over pairs, in [−1, 1]; `right_sign`, the share of the drops
        guessed as `TRUSTED_DROP` or more, either way, whose sign is right, 0 where there are none.
    """
    drawn = np.stack(Mates(faces.labels, np.random.default_rng(seed)).draw(len(faces)), axis=1)
    found, right = [], []
    for block in np.array_split(drawn, -(-len(drawn) // BATCH)):
        grids, others = faces.grids[block[:, 0]], faces.grids[block[:, 1:]]
        covered = faces.covered[block[:, 0]].astype(np.float32)
        guessed, true = (
            np.reshape(_drops(compare, grids, x, others), (-1, covered.shape[1]))
            for x in (model(grids), covered)
        )
        found += map(rank_correlation, guessed, true)
        right.append((guessed * true > 0)[np.abs(guessed) >= TRUSTED_DROP])
    signs = np.concatenate(right)
    return {
        "rank_correlation": round(float(np.mean(found)), 3),
        "right_sign": round(float(signs.mean()), 3) if signs.size else 0.0,
    }


class Mates:
    """Draws faces, to each a face of the same person, and one of somebody else."""

    def __init__(self, labels: np.ndarray, random: np.random.Generator):
        """Sort the faces, int labels (N,), of two people or more."""
        self._labels, self._random = labels, random
        self._by_person = np.argsort(labels, kind="stable")
        self._place = np.argsort(self._by_person)
        self._count = np.bincount(labels)
        self._start = np.cumsum(self._count) - self._count

    def draw(self, count: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return three times int (count,); a person's only face is its own mate."""
        first = self._random.choice(len(self._labels), min(count, len(self._labels)), False)
        person = self._labels[first]
        start, photos = self._start[person], self._count[person]
        within = self._place[first] - start
        step = 1 + self._random.integers(np.maximum(photos - 1, 1))
        same = start + (within + step) % photos
        away = self._random.integers(len(self._labels) - photos)
        other = (start + photos + away) % len(self._labels)
        return first, self._by_person[same], self._by_person[other]


def _drops(compare, grids, covered, others):
    """Return how much the score of each face with each of its mates drops, (N, mates, cells).

    Args:
        grids: (N, h, w, c).
        covered: (N, cells, h, w, c).
        others: (N, mates, h, w, c).
    """
    every = tf.concat([grids[:, tf.newaxis], covered], axis=1)
    faces, cells = every.shape[:2]
    mates, shape = others.shape[1], every.shape[2:]
    a = tf.repeat(every[:, tf.newaxis], mates, axis=1)
    b = tf.repeat(others[:, :, tf.newaxis], cells, axis=2)
    pair = [tf.reshape(x, (-1, *shape)) for x in (a, b)]
    scores = tf.reshape(compare(pair, training=False)["xcos"], (faces, mates, cells))
    return scores[..., :1] - scores[..., 1:]


def _standard(values):
    mean = tf.reduce_mean(values, axis=-1, keepdims=True)
    return (values - mean) / (tf.math.reduce_std(values, axis=-1, keepdims=True) + 1e-4)


def _ranks(values):
    """Return soft ranks along the last axis, which have a gradient."""
    scaled = _standard(values) / SOFTNESS
    return tf.reduce_sum(tf.sigmoid(scaled[..., tf.newaxis] - scaled[..., tf.newaxis, :]), axis=-1)


def _sizes(faces: CoveredFaces) -> np.ndarray:
    """Return how much covering changes each cell's channels, root mean square, (h, w, c)."""
    some = slice(0, 256)
    changes = faces.covered[some].astype(np.float32) - faces.grids[some, np.newaxis]
    return np.sqrt(np.square(changes).mean(axis=(0, 1))) + 1e-6
