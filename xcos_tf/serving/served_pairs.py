"""A server's answers about a batch of pairs."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class ServedPairs:
    """The verdicts on N pairs, and their explanations; xcos = Σ similarity_map · attention_map.

    Attributes:
        xcos: float32 (N,), in [−1, 1].
        similarity_map: S, float32 (N, h, w), in [−1, 1].
        attention_map: W, float32 (N, h, w); each sums to 1.
        same: bool (N,), whether xcos reaches the threshold that the model was exported with.
        valid_a, valid_b: bool (N,), whether the encoded images could be decoded; None where faces
            or grids were compared. Where either is False, the pair's other values mean nothing
            and `same` is False.
    """

    xcos: np.ndarray
    similarity_map: np.ndarray
    attention_map: np.ndarray
    same: np.ndarray
    valid_a: np.ndarray | None = None
    valid_b: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.xcos)
