"""Grid features and scores, kept in a folder, so that a measurement that was stopped goes on."""

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np

from tools.tflite.running import Variant
from xcos_tf.errors import XcosError
from xcos_tf.evaluation.pairs import PairSet
from xcos_tf.evaluation.set_faces import SetFaces
from xcos_tf.files import replace_file


class Kept:
    """By the content of the models' files and of the set."""

    def __init__(self, folder: Path, fingerprint: str):
        """Keep them in a folder, which is made if it is not there."""
        self._folder, self._fingerprint = folder, fingerprint

    def grids(self, variant: Variant, faces: SetFaces, count: int) -> np.ndarray:
        """Return the grid features of a set's faces, float32 (count, h, w, c).

        Raises:
            XcosError: a face cannot be read, or the folder not be written.
        """

        def make():
            grids = None
            for positions, batch in faces.batches(range(count), variant.name):
                found = variant.grids([batch])
                grids = np.empty((count, *found.shape[1:]), np.float32) if grids is None else grids
                grids[positions] = found
            return grids

        return self._array(f"{variant.embed.sha256} {self._fingerprint}", variant.name, make)

    def scores(self, variant: Variant, grids: np.ndarray, pairs: PairSet) -> np.ndarray:
        """Return xCos of pairs, float32 (P,), given the grid features of the set's faces.

        Raises:
            XcosError: the folder cannot be written.
        """
        listed = hashlib.sha256(np.stack([pairs.first, pairs.second]).tobytes()).hexdigest()
        models = f"{variant.embed.sha256} {variant.compare.sha256}"
        return self._array(
            f"{models} {self._fingerprint} {listed}",
            f"{variant.name}-scores",
            lambda: variant.compared(grids, pairs.first, pairs.second, ("xcos",))["xcos"],
        )

    def _array(self, content: str, name: str, make: Callable[[], np.ndarray]) -> np.ndarray:
        key = hashlib.sha256(content.encode()).hexdigest()
        path = self._folder / f"{name}-{key[:16]}.npy"
        if path.is_file():
            return np.load(path, allow_pickle=False)
        array = make()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            replace_file(path, lambda stream: np.save(stream, array))
        except OSError as error:
            raise XcosError(f"cannot write {path} ({error.strerror or error})") from None
        return array
