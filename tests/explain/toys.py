"""Verifiers whose right explanation is known."""

import numpy as np

CELL = 16


class OneCellVerifier:
    """Looks at one 16×16 cell of each face, at its pixels as they are, by their cosine.

    Attributes:
        faces: how many it has embedded.
    """

    def __init__(self, row: int = 2, column: int = 4):
        self.place = np.s_[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]
        self.faces = 0

    def embed(self, faces: np.ndarray) -> np.ndarray:
        self.faces += len(faces)
        cells = faces[:, self.place[0], self.place[1]].reshape(len(faces), -1).astype(np.float32)
        return cells / np.maximum(np.linalg.norm(cells, axis=1, keepdims=True), 1e-6)

    def compare_pairs(self, features_a: np.ndarray, features_b: np.ndarray) -> np.ndarray:
        return (features_a * features_b).sum(axis=1)

    @property
    def right_map(self) -> np.ndarray:
        """1 in the cell that counts and 0 elsewhere, (112, 112)."""
        right = np.zeros((112, 112), np.float32)
        right[self.place] = 1
        return right


class OppositeVerifier(OneCellVerifier):
    """Scores high where `OneCellVerifier` scores low, so that its cell speaks for "different"."""

    def compare_pairs(self, features_a: np.ndarray, features_b: np.ndarray) -> np.ndarray:
        return 1 - super().compare_pairs(features_a, features_b)


def noise(random: np.random.Generator, count: int) -> np.ndarray:
    """Return faces of noise, uint8 (count, 112, 112, 3)."""
    return random.integers(0, 256, (count, 112, 112, 3), np.uint8)


class WeighedCells:
    """Weighs 49 cells: the score is the sum of each cell's weight times its cosine.

    Cells count by how they differ from their own mean, so that a cell of one colour is like none.
    Each cell of a face is worth its weight, no more and no less: the weights are the right map.
    """

    def __init__(self, weights: np.ndarray):
        self.weights = weights

    def embed(self, faces: np.ndarray) -> np.ndarray:
        cells = faces.reshape(-1, 7, CELL, 7, CELL, 3).swapaxes(2, 3).astype(np.float32)
        cells = cells - cells.mean(axis=(3, 4), keepdims=True)
        lengths = np.linalg.norm(cells.reshape(-1, 7, 7, CELL * CELL * 3), axis=-1)
        return cells / np.maximum(lengths, 1)[..., np.newaxis, np.newaxis, np.newaxis]

    def compare_pairs(self, features_a: np.ndarray, features_b: np.ndarray) -> np.ndarray:
        return (features_a * features_b).sum(axis=(3, 4, 5)).reshape(-1, 49) @ self.weights.ravel()
