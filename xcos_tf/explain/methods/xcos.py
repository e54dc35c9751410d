"""xCos as an explanation of itself: what each cell adds to the score (Lin et al., 2021, Eq. 2)."""

import numpy as np

from xcos_tf.explain.explanation import Findings, Method

NAMES = {"learned": "xcos", "correlated": "xcos-correlated", "patched": "xcos-patched"}


class CellContributions(Method):
    """S·W of a pair, a value a cell; before it is scaled its sum is the score.

    Swapping the faces changes nothing, unless a preset's learned attention was built with
    `symmetric: false`.

    Args:
        attention: "patched" (U), "correlated" (P) or "learned" (L).
    """

    needs = "grid"

    def __init__(self, attention: str):
        self.name = NAMES[attention]
        self.attention = attention

    def find(self, verifier, face_a, face_b) -> Findings:
        grids = verifier.embed(np.stack([face_a, face_b]))
        outputs = verifier.explain_pairs(grids[:1], grids[1:], self.attention)
        similarity, attention = outputs["similarity_map"][0], outputs["attention_map"][0]
        score = outputs["xcos"][0]
        return Findings(
            (similarity * attention,), score, similarity_map=similarity, attention_map=attention
        )
