"""What the teacher makes of the training faces as they are, computed once for a whole run."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import tensorflow as tf

from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.training_input import face_batches
from xcos_tf.progress import Bar
from xcos_tf.training.model import Trainer

FILE = "teacher.f32"


def remember_teacher(trainer: Trainer, faces: FaceSet, folder: Path, write: bool) -> np.ndarray:
    """Return the teacher's embedding of each face, from the run's folder if it is there.

    The file holds rows of float32 and grows batch by batch, so that an interrupted pass goes on.

    Args:
        trainer: of the run, with a teacher.
        faces: that are trained on.
        folder: of the run.
        write: whether the file is kept; of several workers, the chief alone does.

    Returns:
        float32 (len(faces), dimension), of unit length, perhaps on disk.

    Raises:
        tf.errors.OpError: a face cannot be read, or is of another size.
    """
    ask = tf.function(
        lambda images: trainer.ask_teacher(trainer.stem(images)), reduce_retracing=True
    )
    dimension = ask(tf.zeros((1, trainer.size, trainer.size, 3))).shape[-1]
    path, shape = folder / FILE, (len(faces), dimension)
    done = path.stat().st_size // (4 * dimension) if path.exists() else 0
    if not write and done < len(faces):
        return np.concatenate([ask(images).numpy() for images in _images(trainer, faces, 0)])
    if done < len(faces):
        with open(path, "ab") as stream:
            stream.truncate(done * 4 * dimension)
            for images in _images(trainer, faces, done):
                stream.write(ask(images).numpy().tobytes())
                stream.flush()
    return np.memmap(path, np.float32, "r", shape=shape)


def _images(trainer: Trainer, faces: FaceSet, start: int) -> Iterator[tf.Tensor]:
    with Bar(total=len(faces), initial=start, desc="teacher", unit="face") as bar:
        for images in face_batches(faces, np.arange(start, len(faces)), trainer.size):
            yield images
            bar.update(len(images))
