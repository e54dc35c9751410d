"""What frozen layers make of faces, kept on disk and drawn from."""

from types import SimpleNamespace

import numpy as np
import pytest
import tensorflow as tf

from xcos_tf.data.sampling import GroupSampler
from xcos_tf.training.remembered import (
    REMEMBERED_FILE,
    Remembered,
    remember_faces,
    remembered_dataset,
)

SIZE, STEPS, GROUPS, PER_GROUP = 8, 4, 2, 3
PER_STEP = GROUPS * PER_GROUP
IMAGES = np.random.default_rng(0).uniform(-1, 1, (STEPS, GROUPS, PER_GROUP, SIZE, SIZE, 3))
IMAGES = IMAGES.astype(np.float32)


COVERED = 3
"""Faces of a step: the first, third and fifth of six."""
CELLS = 2


class Frozen:
    size = SIZE
    network = SimpleNamespace(features=SimpleNamespace(output_shape=(None, CELLS, CELLS, 5)))

    def stem(self, images):
        return images[:, ::4, ::4]

    def ask_teacher(self, stem):
        return tf.math.l2_normalize(tf.reshape(stem, (-1, 12)), axis=1)


def batches(first, last):
    return [{"input": tf.constant(images)} for images in IMAGES[first:last]]


def remember(folder, batches=batches):
    return remember_faces(Frozen(), batches, STEPS, PER_STEP, COVERED, folder)


def teacher_of(faces):
    flat = faces[:, ::4, ::4].reshape(len(faces), -1)
    return flat / np.linalg.norm(flat, axis=1, keepdims=True)


def test_rows_are_in_the_order_of_the_batches(tmp_path):
    rows = remember(tmp_path)
    faces = IMAGES.reshape(-1, SIZE, SIZE, 3)
    stems = rows["stem"].reshape(-1, 2, 2, 3)
    np.testing.assert_array_equal(stems, faces[:, ::4, ::4].astype(np.float16))
    np.testing.assert_allclose(rows["teacher"].reshape(-1, 12), teacher_of(faces), atol=1e-6)


def test_each_cell_of_some_faces_is_covered_in_turn(tmp_path):
    covered = remember(tmp_path)["covered"]
    for step, faces in enumerate(IMAGES.reshape(STEPS, PER_STEP, SIZE, SIZE, 3)):
        for place, image in enumerate(faces[::2]):
            for row, column in np.ndindex(CELLS, CELLS):
                copy = image.copy()
                rows, columns = (slice(4 * x, 4 * x + 4) for x in (row, column))
                if place % 2 == 0:
                    copy[rows, columns] = -127.5 / 128
                else:  # by a blur: of means of cells, which were brought to the size of the face
                    means = tf.image.resize(image, (CELLS, CELLS), "area")
                    copy[rows, columns] = tf.image.resize(means, (SIZE, SIZE))[rows, columns]
                expected = teacher_of(copy[np.newaxis])[0]
                np.testing.assert_allclose(covered[step, place, row, column], expected, atol=1e-3)


def test_an_interrupted_pass_goes_on_after_its_last_whole_step(tmp_path):
    def interrupted(first, last):
        yield from batches(first, 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remember(tmp_path, interrupted)
    path = tmp_path / REMEMBERED_FILE
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 4])  # half of the third step
    asked = []
    rows = remember(tmp_path, lambda *of: (asked.append(of), batches(*of))[1])
    (tmp_path / "anew").mkdir()
    anew = remember(tmp_path / "anew")
    assert asked == [(2, STEPS)] and rows.tobytes() == anew.tobytes()


@pytest.fixture
def remembered():
    random = np.random.default_rng(1)
    stem, teacher = random.normal(size=(8, 5, 2, 2, 5)), random.normal(size=(8, 5, 7))
    covered = random.normal(size=(8, 2, 3, 2, 7))
    labels = np.arange(40) % 5 * 2  # nobody has an odd label
    stem, covered = stem.astype(np.float16), covered.astype(np.float16)
    return Remembered(stem, teacher.astype(np.float32), covered, labels)


@pytest.mark.parametrize("covered", [0, 6])
def test_batches_hold_the_faces_that_are_drawn(remembered, covered):
    labels, weights = remembered.labels, np.array([1.0, 0] * 5)
    stems, teachers = remembered.stem.reshape(40, 2, 2, 5), remembered.teacher.reshape(40, 7)
    sampler = GroupSampler(labels, people=3, faces=2, pairs=4, seed=3, weights=weights)
    first, last = 5, 8
    dataset = remembered_dataset(remembered, sampler, first, last, range(1, 3), 2, covered)
    elements = list(dataset)
    assert len(elements) == last - first
    for step, batch in zip(range(first, last), elements, strict=True):
        assert batch["stem"].dtype == tf.float32
        assert batch["effect"].shape == (2, covered, 3, 2)
        for place, group in enumerate((1, 2)):
            drawn, own = sampler.draw(step, group), slice(sampler.size)
            assert set(drawn.labels) <= set(labels) and len(set(drawn.labels)) == 3
            np.testing.assert_array_equal(batch["label"][place, own], drawn.labels)
            np.testing.assert_array_equal(batch["stem"][place, own], stems[drawn.faces])
            np.testing.assert_array_equal(batch["teacher"][place, own], teachers[drawn.faces])
            assert batch["stem"].shape[1] == sampler.size + 2 * covered
            for name in ("first", "second", "same"):
                np.testing.assert_array_equal(batch[name][place], getattr(drawn, name))


def test_effects_are_how_far_the_cosine_falls(remembered):
    faces, effects = remembered.effects(np.random.default_rng(0), 200)
    first, second = faces[:200], faces[200:]
    assert effects.shape == (200, 3, 2) and effects.dtype == np.float32
    for a, b, effect in zip(first, second, effects, strict=True):
        step, place = divmod(a, 5)
        assert place in (0, 2)
        partner = remembered.teacher[b // 5, b % 5]
        covered = remembered.covered[step, place // 2].astype(np.float32) @ partner
        plain = remembered.teacher[step, place] @ partner
        np.testing.assert_allclose(effect, plain - covered, atol=1e-5)
    same = remembered.labels[first] == remembered.labels[second]
    assert 0.5 < same.mean() < 0.7  # a half, and one in five of the others
