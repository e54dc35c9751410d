"""What never changes in a run, computed once and kept on disk.

That is what frozen layers make of the faces of some steps, and the teacher of faces as they are.
Where most of a backbone is frozen, its part of a step takes most of the time. It is the same each
time for the same face, so a run can draw and augment the faces of some steps, keep what the frozen
layers and the teacher make of them, and go on drawing from these.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np
import tensorflow as tf

from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.sampling import Sampler
from xcos_tf.data.training_input import face_batches
from xcos_tf.progress import Bar
from xcos_tf.training.model import Trainer
from xcos_tf.training.pairs import joined
from xcos_tf.training.record import writing

REMEMBERED_FILE, TEACHER_FILE = "remembered.bin", "teacher.f32"


def remember_faces(
    trainer: Trainer,
    dataset_of: Callable[[int, int], tf.data.Dataset],
    steps: int,
    faces_per_step: int,
    folder: Path,
) -> np.ndarray:
    """Return what the frozen layers make of the faces of `steps` steps.

    A file in the run's folder grows step by step, so that an interrupted pass goes on.

    Args:
        trainer: whose stem is frozen, and whose teacher goes on from that stem.
        dataset_of: called with (first step, last step); gives their batches, which
            `training_dataset` describes.

    Returns:
        Rows (steps · faces_per_step,), on disk, in the order of the batches, with "stem",
        float16 (h, w, c), and "teacher", float32 (dimension,), of unit length.

    Raises:
        XcosError: the file cannot be written.
    """

    @tf.function(reduce_retracing=True)
    def see(images):
        stem = trainer.stem(images)
        return stem, trainer.ask_teacher(stem)

    shapes = [tuple(x.shape[1:]) for x in see(tf.zeros((1, trainer.size, trainer.size, 3)))]
    row = np.dtype([("stem", np.float16, shapes[0]), ("teacher", np.float32, shapes[1])])

    def blocks(done):
        first = done // faces_per_step
        with Bar(total=steps, initial=first, desc="frozen layers", unit="step") as bar:
            for batch in dataset_of(first, steps):
                rows = np.empty(faces_per_step, row)
                rows["stem"], rows["teacher"] = (x.numpy() for x in see(joined(batch["input"])))
                yield rows
                bar.update()

    path, total = folder / REMEMBERED_FILE, steps * faces_per_step
    _grow(path, row.itemsize, total, faces_per_step, blocks)
    return np.memmap(path, row, "r", shape=(total,))


def remembered_dataset(
    rows: np.ndarray,
    sampler: Sampler,
    first_step: int,
    last_step: int,
    groups: range,
    batch_groups: int,
) -> tf.data.Dataset:
    """Return the batches of some steps and groups, as `training_dataset` does, of remembered faces.

    Args:
        rows: from `remember_faces`.
        sampler: what is drawn of these rows.

    Returns:
        Elements as `Trainer` takes them, with "stem" and "teacher" instead of "input".
    """
    specs = {
        "stem": tf.TensorSpec((sampler.size, *rows.dtype["stem"].shape), tf.float16),
        "teacher": tf.TensorSpec((sampler.size, *rows.dtype["teacher"].shape), tf.float32),
        "label": tf.TensorSpec((sampler.size,), tf.int32),
        **dict.fromkeys(("first", "second", "same"), tf.TensorSpec((sampler.pairs,), tf.int32)),
    }

    def draw(number):
        step, place = divmod(int(number), len(groups))
        drawn = sampler.draw(first_step + step, groups[place])
        taken = rows[drawn.faces]
        pairs = drawn.first, drawn.second, drawn.same.astype(np.int32)
        return taken["stem"], taken["teacher"], drawn.labels, *pairs

    def read_group(number):
        dtypes = [spec.dtype for spec in specs.values()]
        values = tf.numpy_function(draw, [number], dtypes, stateful=False)
        for value, spec in zip(values, specs.values(), strict=True):
            value.set_shape(spec.shape)
        return dict(zip(specs, values, strict=True))

    return (
        tf.data.Dataset.range((last_step - first_step) * len(groups))
        .map(read_group, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_groups, drop_remainder=True)
        .map(lambda batch: {**batch, "stem": tf.cast(batch["stem"], tf.float32)})
        .prefetch(tf.data.AUTOTUNE)
    )


def remember_teacher(trainer: Trainer, faces: FaceSet, folder: Path, write: bool) -> np.ndarray:
    """Return the teacher's embedding of each face as it is, from the run's folder if it is there.

    Of several workers, the chief alone is to `write` the file, which grows batch by batch.

    Returns:
        float32 (len(faces), dimension), of unit length, perhaps on disk.

    Raises:
        XcosError: the file cannot be written.
    """
    ask = tf.function(
        lambda images: trainer.ask_teacher(trainer.stem(images)), reduce_retracing=True
    )
    dimension = ask(tf.zeros((1, trainer.size, trainer.size, 3))).shape[-1]

    def blocks(done):
        with Bar(total=len(faces), initial=done, desc="teacher", unit="face") as bar:
            for images in face_batches(faces, np.arange(done, len(faces)), trainer.size):
                yield ask(images).numpy()
                bar.update(len(images))

    path = folder / TEACHER_FILE
    if write:
        _grow(path, 4 * dimension, len(faces), 1, blocks)
    elif not path.exists() or path.stat().st_size < 4 * dimension * len(faces):
        return np.concatenate(list(blocks(0)))
    return np.memmap(path, np.float32, "r", shape=(len(faces), dimension))


def _grow(
    path: Path,
    row: int,
    total: int,
    at_once: int,
    blocks: Callable[[int], Iterable[np.ndarray]],
) -> None:
    """Append rows of `row` bytes to a file until it has `total`, from its last whole `at_once` on.

    `blocks` gives them, from the row that it is called with.
    """
    done = path.stat().st_size // (row * at_once) * at_once if path.exists() else 0
    if done >= total:
        return
    with writing(path), open(path, "ab") as stream:
        stream.truncate(done * row)
    for block in blocks(done):
        with writing(path), open(path, "ab") as stream:
            stream.write(block.tobytes())
