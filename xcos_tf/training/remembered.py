"""The faces of a run's first steps as its frozen layers see them, computed once and kept on disk.

Where most of a backbone is frozen, its part of a step takes most of the time. It is the same each
time for the same face, so a run can draw and augment the faces of some steps, keep what the frozen
layers and the teacher make of them, and go on drawing from these.
"""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import tensorflow as tf

from xcos_tf.data.sampling import Sampler
from xcos_tf.progress import Bar
from xcos_tf.training.model import Trainer
from xcos_tf.training.pairs import joined
from xcos_tf.training.record import writing

REMEMBERED_FILE = "remembered.bin"


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

    shapes = [x.shape[1:] for x in see(tf.zeros((1, trainer.size, trainer.size, 3)))]
    row = np.dtype([("stem", np.float16, shapes[0]), ("teacher", np.float32, shapes[1])])
    path, size = folder / REMEMBERED_FILE, row.itemsize * faces_per_step
    done = path.stat().st_size // size if path.exists() else 0
    bar = Bar(total=steps, initial=done, desc="frozen layers", unit="step")
    with open(path, "ab") as stream, bar:
        stream.truncate(done * size)
        for batch in dataset_of(done, steps):
            rows = np.empty(faces_per_step, row)
            rows["stem"], rows["teacher"] = (x.numpy() for x in see(joined(batch["input"])))
            with writing(path):
                stream.write(rows.tobytes())
                stream.flush()
            bar.update()
    return np.memmap(path, row, "r", shape=(steps * faces_per_step,))


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
