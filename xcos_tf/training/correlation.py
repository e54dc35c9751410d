"""The correlated attention P: Pearson correlation of each cell's cosine with the teacher's."""

import numpy as np


class StreamingCorrelation:
    """Pearson correlation of every cell with one value, over any number of pairs in one pass.

    Means and co-moments are merged block by block (Chan et al., 1983), in float64, so the answer
    does not suffer from cancellation however many pairs there are.
    """

    def __init__(self, shape: tuple[int, int]):
        """Start empty, for maps of this (h, w)."""
        self.count = 0
        self._mean_s, self._mean_c = np.zeros(shape), 0.0
        self._m_ss, self._m_cc, self._m_sc = np.zeros(shape), 0.0, np.zeros(shape)

    def update(self, similarity_maps: np.ndarray, teacher_cosines: np.ndarray) -> None:
        """Take in a block of pairs: S (P, h, w) and the teacher's cosines (P,)."""
        s = np.asarray(similarity_maps, np.float64)
        c = np.asarray(teacher_cosines, np.float64)
        if not len(c):
            return
        mean_s, mean_c = s.mean(axis=0), c.mean()
        centred_s, centred_c = s - mean_s, c - mean_c
        total = self.count + len(c)
        share = self.count * len(c) / total
        delta_s, delta_c = mean_s - self._mean_s, mean_c - self._mean_c
        self._m_ss += (centred_s**2).sum(axis=0) + share * delta_s**2
        self._m_cc += (centred_c**2).sum() + share * delta_c**2
        self._m_sc += np.tensordot(centred_c, centred_s, axes=1) + share * delta_s * delta_c
        self._mean_s += delta_s * len(c) / total
        self._mean_c += delta_c * len(c) / total
        self.count = total

    def result(self) -> np.ndarray:
        """Return p (Eq. 5 to 7), float32 (h, w) in [−1, 1]; a cell that never varies gets 0."""
        scale = np.sqrt(self._m_ss * self._m_cc)
        return np.divide(self._m_sc, scale, out=np.zeros_like(scale), where=scale > 0).astype(
            np.float32
        )
