from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from xcos_tf.models.margins import CosFaceHead
from xcos_tf.training.losses import SMALLEST, locality_loss, swap_rectangles
from xcos_tf.training.model import Part, Trainer

SEED = tf.constant([3, 5])
GRID = (7, 7)


@pytest.fixture
def swapped(random):
    images = random.normal(size=(6, 112, 112, 3)).astype(np.float32)
    return images, *(x.numpy() for x in swap_rectangles(tf.constant(images), GRID, SEED))


def from_other(images, changed):
    """Return which cells hold another image, bool (N, 7, 7), and check that all of each does."""
    others = np.roll(images, len(images) // 2, axis=0)
    own, other = (
        (changed == x).all(-1).reshape(-1, 7, 16, 7, 16).all((2, 4)) for x in (images, others)
    )
    np.testing.assert_array_equal(own, ~other)
    return other


def test_a_rectangle_of_cells_is_the_other_images(swapped):
    images, changed, *_ = swapped
    for cells in from_other(images, changed):
        rows, columns = np.flatnonzero(cells.any(1)), np.flatnonzero(cells.any(0))
        for places in (rows, columns):
            assert SMALLEST <= len(places) < 7
            assert np.ptp(places) == len(places) - 1
        assert cells.sum() == len(rows) * len(columns)


def test_rectangles_reach_every_edge_and_have_every_length():
    count, (h, w) = 400, (5, 7)
    images = tf.reshape(tf.range(count, dtype=tf.float32), (count, 1, 1, 1))
    images = tf.broadcast_to(images, (count, h, w, 3))
    changed, *_ = swap_rectangles(images, (h, w), SEED)
    cells = (changed != images).numpy().any(-1)
    for other, side in ((1, w), (2, h)):
        along = cells.any(other)
        assert set(along.sum(1)) == set(range(SMALLEST, side))
        starts = along.argmax(1)
        for length in range(SMALLEST, side):
            assert set(starts[along.sum(1) == length]) == set(range(side - length + 1))


def test_cells_count_whose_neighbours_are_all_of_one_image(swapped):
    images, changed, own, other = swapped
    cells = from_other(images, changed)
    for image in range(len(images)):
        for row, column in np.ndindex(*GRID):
            near = cells[image, max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2]
            assert own[image, row, column] == (not near.any())
            assert other[image, row, column] == near.all()
    assert own.any() and other.any()


def test_rectangles_differ_between_images_and_steps(swapped):
    images, changed, *_ = swapped
    cells = from_other(images, changed)
    assert len(np.unique(cells.reshape(6, -1), axis=0)) > 3
    again, *_ = swap_rectangles(tf.constant(images), GRID, SEED)
    np.testing.assert_array_equal(changed, again)
    later, *_ = swap_rectangles(tf.constant(images), GRID, tf.constant([3, 6]))
    assert (changed != later.numpy()).any()


def test_the_loss_by_hand(random):
    before, after = random.normal(size=(2, 4, 3, 3, 5)).astype(np.float32)
    own, other = random.integers(0, 2, (2, 4, 3, 3)).astype(np.float32)
    unit = [x / np.linalg.norm(x, axis=-1, keepdims=True) for x in (before, after)]
    expected = [
        *(1 - (unit[0] * unit[1]).sum(-1))[own == 1],
        *(1 - (np.roll(unit[0], 2, axis=0) * unit[1]).sum(-1))[other == 1],
    ]
    loss = locality_loss(before, after, own, other)
    np.testing.assert_allclose(loss, np.mean(expected), rtol=1e-5)
    assert locality_loss(before, after, 0 * own, 0 * other) == 0


def test_it_tells_cells_that_are_local_from_those_that_are_not(random, swapped):
    images, changed, own, other = swapped

    def loss(reach):
        x = image = keras.Input((112, 112, 3))
        x = keras.layers.ZeroPadding2D((reach - 16) // 2)(x)
        model = keras.Model(image, keras.layers.Conv2D(8, reach, strides=16)(x))
        return float(locality_loss(model(images), model(changed), own, other))

    assert loss(16) == pytest.approx(0, abs=1e-5)
    assert loss(48) == pytest.approx(0, abs=1e-5)  # neighbours may be seen
    assert loss(80) > 0.05


def test_a_trainer_adds_it_with_other_rectangles_at_each_step(random):
    image = keras.Input((112, 112, 3))
    grid = keras.layers.Conv2D(4, 80, strides=16, padding="same", name="conv")(image)
    head = CosFaceHead(5, name="margin_head")
    head.build((None, 7 * 7 * 4))
    features = keras.Model(image, grid)
    network = SimpleNamespace(features=features, comparisons={})
    trainer = Trainer(network, head, {"identification": 1.0, "locality": 0.5})
    parts = [Part(features, keras.optimizers.SGD(0.0))]
    trainer.compile(parts)
    faces = random.normal(size=(2, 4, 112, 112, 3)).astype(np.float32)
    batch = {"input": tf.constant(faces), "label": tf.zeros((2, 4), tf.int32)}
    losses = [trainer.make_step(batch) for _ in range(2)]
    images = tf.reshape(faces, (8, 112, 112, 3))
    for number, found in enumerate(losses):
        changed, own, other = swap_rectangles(images, GRID, tf.constant([0, number]))
        expected = locality_loss(features(images), features(changed), own, other)
        assert float(found["locality"]) == pytest.approx(float(expected), rel=1e-4)
        total = found["identification"] + 0.5 * found["locality"]
        assert float(found["total"]) == pytest.approx(float(total), rel=1e-5)
    assert losses[0]["locality"] != losses[1]["locality"]


def test_no_gradient_goes_to_the_faces_as_they_are(random):
    values = random.normal(size=(2, 2, 2, 2, 3))
    before, after = (tf.Variable(x, dtype=tf.float32) for x in values)
    ones = tf.ones((2, 2, 2))
    with tf.GradientTape() as tape:
        loss = locality_loss(before, after, ones, ones)
    gradients = tape.gradient(loss, [before, after])
    assert gradients[0] is None and np.abs(gradients[1]).max() > 0
