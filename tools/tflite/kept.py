"""Grid features of a set, kept in a folder, so that a measurement that was stopped goes on."""

import hashlib
from pathlib import Path

import numpy as np

from tools.tflite.running import Variant
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.set_faces import SetFaces
from xcos_tf.files import replace_file


class Kept:
    """By the content of the model's file and of the set."""

    def __init__(self, folder: Path, fingerprint: str):
        """Keep them in a folder, which is made if it is not there."""
        self._folder, self._fingerprint = folder, fingerprint

    def grids(self, variant: Variant, faces: SetFaces, count: int) -> np.ndarray:
        """Return the grid features of a set's faces, float32 (count, h, w, c).

        Raises:
            XcosError: a face cannot be read, or the folder not be written.
        """
        key = hashlib.sha256(f"{variant.embed.sha256} {self._fingerprint}".encode()).hexdigest()
        path = self._folder / f"{variant.name}-{key[:16]}.npy"
        if path.is_file():
            return np.load(path, allow_pickle=False)
        grids = None
        for positions, batch in faces.batches(range(count), variant.name):
            found = variant.grids([batch])
            grids = np.empty((count, *found.shape[1:]), np.float32) if grids is None else grids
            grids[positions] = found
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(path, lambda stream: np.save(stream, grids))
        except OSError as error:
            raise XcosError(f"cannot write {path} ({error.strerror or error})") from None
        return grids
