"""xCos as an explanation of itself: what each cell adds to the score (Lin et al., 2021, Eq. 2)."""

import time

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.explain.explanation import Cost, Explanation
from xcos_tf.explain.probing import scaled
from xcos_tf.verifier import Verifier

NAMES = {"learned": "xcos", "correlated": "xcos-correlated", "patched": "xcos-patched"}


class CellContributions:
    """S·W of a pair, a value a cell; before it is scaled its sum is the score.

    Swapping the faces changes nothing, unless a preset's learned attention was built with
    `symmetric: false`.

    Args:
        attention: "patched" (U), "correlated" (P) or "learned" (L).
    """

    symmetric = True
    needs = "grid"

    def __init__(self, attention: str):
        self.name = NAMES[attention]
        self.attention = attention

    def explain(self, verifier: Verifier, face_a: np.ndarray, face_b: np.ndarray) -> Explanation:
        """Explain a pair, with one signed map, as fine as the grid, and S and W; see `Method`.

        Raises:
            XcosError: the preset has no grid, or no such attention.
        """
        if not verifier.network.explains:
            raise XcosError(
                f"{self.name!r} explains the score of a grid and the preset "
                f"{verifier.config['name']!r} has none; use an xCos preset"
            )
        start = time.perf_counter()
        grids = verifier.embed(np.stack([face_a, face_b]))
        outputs = verifier.explain_pairs(grids[:1], grids[1:], self.attention)
        similarity, attention = outputs["similarity_map"][0], outputs["attention_map"][0]
        values = scaled(similarity * attention)
        cost = Cost(time.perf_counter() - start, forward=2)
        return Explanation(
            self.name,
            values,
            values,
            signed=True,
            per_pair=True,
            score=float(outputs["xcos"][0]),
            cost=cost,
            similarity_map=similarity,
            attention_map=attention,
        )
