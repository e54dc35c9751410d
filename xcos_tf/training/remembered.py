"""What never changes in a run, computed once and kept on disk.

That is what frozen layers make of the faces of some steps, and the teacher of faces as they are.
Where most of a backbone is frozen, its part of a step takes most of the time. It is the same each
time for the same face, so a run can draw and augment the faces of some steps, keep what the frozen
layers and the teacher make of them, and go on drawing from these.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.sampling import Sampler
from xcos_tf.data.training_input import drawn_in_python, face_batches
from xcos_tf.progress import Bar
from xcos_tf.training.losses import cover_cells
from xcos_tf.training.model import Trainer
from xcos_tf.training.pairs import joined
from xcos_tf.training.record import writing

REMEMBERED_FILE, TEACHER_FILE = "remembered.bin", "teacher.f32"


@dataclass(frozen=True)
class Remembered:
    """What a run keeps of some steps' faces, on disk.

    Attributes:
        stem: float16 (steps, faces of a step, h, w, c), what the frozen layers make of each.
        teacher: float32 (steps, faces of a step, dimension), of unit length.
        covered: float16 (steps, C, h, w, dimension), the teacher's embeddings of C faces of a step
            (see `_covered_places`), with each cell of the grid covered.
        labels: int (steps · faces of a step,), whose the faces are.
    """

    stem: np.ndarray
    teacher: np.ndarray
    covered: np.ndarray
    labels: np.ndarray

    def effects(self, random: np.random.Generator, count: int):
        """Draw pairs whose first face was covered.

        Half of the partners are of the same person, if that person has other faces.

        Returns:
            int (2 · count,), the faces that are first and then those that are second; and float32
            (count, h, w), by how much the teacher's cosine falls when a cell is covered.
        """
        steps, faces = self.teacher.shape[:2]
        places = _covered_places(faces, self.covered.shape[1])
        # Where no face is covered, no pair is asked for.
        step, which = random.integers((steps, max(1, len(places))), size=(count, 2)).T
        first = step * faces + places[which]
        second = random.integers(len(self.labels), size=count)
        for i in np.flatnonzero(random.random(count) < 0.5):
            own = np.flatnonzero(self.labels == self.labels[first[i]])
            second[i] = random.choice(own[own != first[i]]) if len(own) > 1 else second[i]
        partners = self.teacher[np.divmod(second, faces)]
        plain = np.einsum("nd,nd->n", self.teacher[np.divmod(first, faces)], partners)
        covered = np.einsum("nhwd,nd->nhw", self.covered[step, which].astype(np.float32), partners)
        return np.concatenate([first, second]), plain[:, np.newaxis, np.newaxis] - covered


def _covered_places(faces: int, covered: int) -> np.ndarray:
    """Return which faces of a step are covered, int (covered,), evenly apart."""
    return np.arange(covered) * (faces // max(1, covered))


def remember_faces(
    trainer: Trainer,
    dataset_of: Callable[[int, int], tf.data.Dataset],
    steps: int,
    faces_per_step: int,
    covered: int,
    folder: Path,
) -> np.ndarray:
    """Return what the frozen layers make of the faces of `steps` steps.

    A file in the run's folder grows step by step, so that an interrupted pass goes on.

    Args:
        trainer: whose stem is frozen, and whose teacher goes on from that stem.
        dataset_of: called with (first step, last step); gives their batches, which
            `training_dataset` describes.
        covered: of how many of a step's faces each cell is covered, see `Remembered`.

    Returns:
        Rows (steps,), on disk, with "stem", "teacher" and "covered" of `Remembered`.

    Raises:
        XcosError: the file cannot be written.
    """
    grid = trainer.network.features.output_shape[1:3]

    @tf.function(reduce_retracing=True)
    def see(images):
        stem = trainer.stem(images)
        return stem, trainer.ask_teacher(stem)

    shapes = [tuple(x.shape[1:]) for x in see(tf.zeros((1, trainer.size, trainer.size, 3)))]
    row = np.dtype(
        [
            ("stem", np.float16, (faces_per_step, *shapes[0])),
            ("teacher", np.float32, (faces_per_step, *shapes[1])),
            ("covered", np.float16, (covered, *grid, *shapes[1])),
        ]
    )

    def blocks(done):
        with Bar(total=steps, initial=done, desc="frozen layers", unit="step") as bar:
            for batch in dataset_of(done, steps):
                images, rows = joined(batch["input"]), np.empty(1, row)
                rows["stem"], rows["teacher"] = (x.numpy() for x in see(images))
                for i, place in enumerate(_covered_places(faces_per_step, covered)):
                    copies = cover_cells(images[place : place + 1], grid, i % 2 == 0)
                    rows["covered"][0, i] = see(copies)[1].numpy().reshape(*grid, -1)
                yield rows
                bar.update()

    path = folder / REMEMBERED_FILE
    _grow(path, row.itemsize, steps, 1, blocks)
    return np.memmap(path, row, "r", shape=(steps,))


def remembered_dataset(
    remembered: Remembered,
    sampler: Sampler,
    first_step: int,
    last_step: int,
    groups: range,
    batch_groups: int,
    covered: int,
) -> tf.data.Dataset:
    """Return the batches of some steps and groups, as `training_dataset` does, of remembered faces.

    Args:
        sampler: what is drawn of these faces.
        covered: pairs of a group for the covering loss.

    Returns:
        Elements as `Trainer` takes them, with "stem" and "teacher" instead of "input", and with
        "effect" where pairs are covered.
    """
    faces, cells = sampler.size + 2 * covered, remembered.covered.shape[2:4]
    specs = {
        "stem": tf.TensorSpec((faces, *remembered.stem.shape[2:]), tf.float16),
        "teacher": tf.TensorSpec((faces, *remembered.teacher.shape[2:]), tf.float32),
        "label": tf.TensorSpec((faces,), tf.int32),
        "effect": tf.TensorSpec((covered, *cells), tf.float32),
        **dict.fromkeys(("first", "second", "same"), tf.TensorSpec((sampler.pairs,), tf.int32)),
    }

    def draw(number):
        step, place = divmod(int(number), len(groups))
        step, group = first_step + step, groups[place]
        drawn = sampler.draw(step, group)
        random = np.random.default_rng([sampler.seed, step, group, 1])
        others, effects = remembered.effects(random, covered)
        positions = np.concatenate([drawn.faces, others])
        at = np.divmod(positions, remembered.teacher.shape[1])
        labels = remembered.labels[positions].astype(np.int32)
        pairs = drawn.first, drawn.second, drawn.same.astype(np.int32)
        return remembered.stem[at], remembered.teacher[at], labels, effects, *pairs

    def read_group(number):
        group = drawn_in_python(draw, number, specs)
        return {**group, "stem": tf.cast(group["stem"], tf.float32)}

    return (
        tf.data.Dataset.range((last_step - first_step) * len(groups))
        .map(read_group, num_parallel_calls=tf.data.AUTOTUNE, deterministic=True)
        .batch(batch_groups, drop_remainder=True)
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
