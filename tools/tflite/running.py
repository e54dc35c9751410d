"""Exported TFLite models over many faces and pairs, in batches."""

from collections.abc import Iterable
from pathlib import Path

import numpy as np
from tqdm import tqdm

from xcos_tf.evaluation.set_faces import SetFaces
from xcos_tf.mobile.lite_model import LiteModel
from xcos_tf.mobile.metadata import ModelFile

BLOCK = 1024
THREADS = 2


class Variant:
    """Two files of free batch: a variant's `embed` and its `compare`."""

    def __init__(self, folder: Path, name: str):
        """Load a variant from a folder that `export_tflite` wrote."""
        self.name = name
        self.embed = _load(folder / f"embed.{name}.batch.tflite", "embed")
        self.compare = _load(folder / f"compare.{name}.batch.tflite", "compare")

    def grids(self, batches: Iterable[np.ndarray]) -> np.ndarray:
        """Return the grid features of batches of faces, float32 (N, h, w, c)."""
        return np.concatenate([self.embed(batch)["grid"] for batch in batches])

    def grids_of(self, faces: SetFaces, count: int) -> np.ndarray:
        """Return the grid features of a set's faces, float32 (count, h, w, c).

        Raises:
            XcosError: a face cannot be read.
        """
        grids = None
        for positions, batch in faces.batches(range(count), self.name):
            found = self.grids([batch])
            grids = np.empty((count, *found.shape[1:]), np.float32) if grids is None else grids
            grids[positions] = found
        return grids

    def compared(
        self, grids: np.ndarray, first: np.ndarray, second: np.ndarray, names: tuple[str, ...]
    ) -> dict[str, np.ndarray]:
        """Return some outputs of the comparison of pairs, given by position in `grids`."""
        found = {name: [] for name in names}
        starts = range(0, len(first), BLOCK)
        for start in tqdm(starts, desc=f"{self.name}, pairs", unit="block", disable=None):
            block = slice(start, start + BLOCK)
            outputs = self.compare(grids[first[block]], grids[second[block]])
            for name in names:
                found[name].append(outputs[name])
        return {name: np.concatenate(parts) for name, parts in found.items()}


def _load(path: Path, model: str) -> LiteModel:
    return LiteModel(ModelFile.read(path, model), THREADS)
