"""What frozen layers make of faces, kept on disk and drawn from."""

import numpy as np
import pytest
import tensorflow as tf

from xcos_tf.data.sampling import GroupSampler
from xcos_tf.training.remembered import REMEMBERED_FILE, remember_faces, remembered_dataset

SIZE, STEPS, GROUPS, PER_GROUP = 8, 4, 2, 3
PER_STEP = GROUPS * PER_GROUP
IMAGES = np.random.default_rng(0).uniform(-1, 1, (STEPS, GROUPS, PER_GROUP, SIZE, SIZE, 3))
IMAGES = IMAGES.astype(np.float32)


class Frozen:
    size = SIZE

    def stem(self, images):
        return images[:, ::4, ::4]

    def ask_teacher(self, stem):
        return tf.math.l2_normalize(tf.reshape(stem, (-1, 12)), axis=1)


def batches(first, last):
    return [{"input": tf.constant(images)} for images in IMAGES[first:last]]


def test_rows_are_in_the_order_of_the_batches(tmp_path):
    rows = remember_faces(Frozen(), batches, STEPS, PER_STEP, tmp_path)
    faces = IMAGES.reshape(-1, SIZE, SIZE, 3)
    stems = faces[:, ::4, ::4]
    np.testing.assert_array_equal(rows["stem"], stems.astype(np.float16))
    flat = stems.reshape(len(faces), -1)
    expected = flat / np.linalg.norm(flat, axis=1, keepdims=True)
    np.testing.assert_allclose(rows["teacher"], expected, atol=1e-6)


def test_an_interrupted_pass_goes_on_after_its_last_whole_step(tmp_path):
    def interrupted(first, last):
        yield from batches(first, 2)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        remember_faces(Frozen(), interrupted, STEPS, PER_STEP, tmp_path)
    path = tmp_path / REMEMBERED_FILE
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 4])  # half of the third step
    asked = []
    rows = remember_faces(
        Frozen(), lambda *of: (asked.append(of), batches(*of))[1], STEPS, PER_STEP, tmp_path
    )
    (tmp_path / "anew").mkdir()
    anew = remember_faces(Frozen(), batches, STEPS, PER_STEP, tmp_path / "anew")
    assert asked == [(2, STEPS)] and rows.tobytes() == anew.tobytes()


def test_batches_hold_the_rows_that_are_drawn():
    random = np.random.default_rng(1)
    rows = np.empty(40, [("stem", np.float16, (2, 2, 5)), ("teacher", np.float32, (7,))])
    rows["stem"], rows["teacher"] = random.normal(size=(40, 2, 2, 5)), random.normal(size=(40, 7))
    labels = np.arange(40) % 5 * 2  # nobody has an odd label
    weights = np.array([1.0, 0] * 5)
    sampler = GroupSampler(labels, people=3, faces=2, pairs=4, seed=3, weights=weights)
    first, last = 5, 8
    elements = list(remembered_dataset(rows, sampler, first, last, range(1, 3), 2))
    assert len(elements) == last - first
    for step, batch in zip(range(first, last), elements, strict=True):
        assert batch["stem"].dtype == tf.float32
        for place, group in enumerate((1, 2)):
            drawn = sampler.draw(step, group)
            assert set(drawn.labels) <= set(labels) and len(set(drawn.labels)) == 3
            np.testing.assert_array_equal(batch["label"][place], drawn.labels)
            np.testing.assert_array_equal(batch["stem"][place], rows["stem"][drawn.faces])
            np.testing.assert_array_equal(batch["teacher"][place], rows["teacher"][drawn.faces])
            for name in ("first", "second", "same"):
                np.testing.assert_array_equal(batch[name][place], getattr(drawn, name))
