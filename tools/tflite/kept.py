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
        content = f"{variant.embed.sha256} {self._fingerprint}"
        return self._array(content, variant.name, lambda: variant.grids_of(faces, count))

    def scores(
        self, variant: Variant, pairs: PairSet, make: Callable[[], np.ndarray], cover: str = ""
    ) -> np.ndarray:
        """Return xCos of pairs, float32 (P,).

        Args:
            variant: that gives them.
            pairs: of the set's photos.
            make: computes them where they are not there.
            cover: all that covers on the faces follow from, if there are any.

        Raises:
            XcosError: the folder cannot be written, or as by `make`.
        """
        listed = hashlib.sha256(np.stack([pairs.first, pairs.second]).tobytes()).hexdigest()
        models = f"{variant.embed.sha256} {variant.compare.sha256}"
        content = f"{models} {self._fingerprint} {listed}{cover}"
        return self._array(content, f"{variant.name}-scores", make)

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
