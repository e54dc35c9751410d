"""What the score would be if a cell were covered, as the preset's model of that guesses."""

import numpy as np

from xcos_tf.explain.explanation import Findings, Method


class WhatIf(Method):
    """How much the score drops if a cell of A were covered, and likewise of B.

    Exact but for the guess of what the grid would be: S, W and their product are computed anew for
    each cell, see `xcos_tf.runtime.whatif`. No covered face goes through the backbone. Swapping
    the faces swaps the maps, unless a preset's learned attention was built with `symmetric: false`.
    """

    name = "xcos-whatif"
    needs = "grid"

    def find(self, verifier, face_a, face_b) -> Findings:
        grids = verifier.embed(np.stack([face_a, face_b]))
        [score] = verifier.compare_pairs(grids[:1], grids[1:])
        maps = verifier.score_drops(grids[:1], grids[1:])
        return Findings(tuple(x[0] for x in maps), score)
