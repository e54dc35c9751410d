"""How faithful the maps of one pair are to the verifier that they explain."""

import numpy as np

from tools.explanations.contenders import OneScore
from tools.explanations.drawn_pairs import Pair
from tools.explanations.keeping import Arrays
from tools.explanations.rows import DELETION, DISSIMILARITY, INSERTION, SIMILARITY
from xcos_tf.explain.faithfulness.cell_ablation import agreements, true_drops
from xcos_tf.explain.faithfulness.deletion import deletion_curve, insertion_curve
from xcos_tf.explain.faithfulness.fillings import FILLINGS

CURVES = {DELETION: deletion_curve, INSERTION: insertion_curve}


def drops(verifier: OneScore, pair: Pair) -> Arrays:
    """Return {filling: float64 (7, 7)}, what covering each cell of face A does to the score."""
    return {x: true_drops(verifier, pair.face_a, pair.face_b, x) for x in FILLINGS}


def judge(verifier: OneScore, pair: Pair, maps: Arrays, of_cells: Arrays) -> Arrays:
    """Return how faithful the maps of a pair are.

    Args:
        verifier: that the maps explain.
        pair: likewise.
        maps: from `explain`.
        of_cells: from `drops`.

    Returns:
        {"KIND CURVE FILLING": float64 (steps + 1,), 1 where the verdict is right}, the same with
        " area" after it, float64 (1,), and {"cells FILLING": float64 (1,)}, a rank correlation.
        The kind "dissimilarity" is there for signed maps of impostor pairs alone.
    """
    faces = (pair.face_a[np.newaxis], pair.face_b[np.newaxis])
    pair_maps = (maps["map_a"][np.newaxis], maps["map_b"][np.newaxis])
    kinds = {SIMILARITY: pair_maps}
    if maps["signed"][0] and not pair.same:
        kinds[DISSIMILARITY] = tuple(-x for x in pair_maps)
    found = {}
    for kind, of_kind in kinds.items():
        for name, curve in CURVES.items():
            for filling in FILLINGS:
                result = curve(verifier, faces, of_kind, [pair.same], verifier.threshold(), filling)
                found[curve_name(kind, name, filling)] = result.accuracy
                found[area_name(kind, name, filling)] = result.pair_areas
    for filling in FILLINGS:
        found[cells_name(filling)] = agreements(pair_maps[0], of_cells[filling][np.newaxis])
    return found


def curve_name(kind: str, curve: str, filling: str) -> str:
    """Return how `judge` calls a curve."""
    return f"{kind} {curve} {filling}"


def area_name(kind: str, curve: str, filling: str) -> str:
    """Return how `judge` calls the area under it."""
    return f"{curve_name(kind, curve, filling)} area"


def cells_name(filling: str) -> str:
    """Return how `judge` calls the agreement with cell ablation."""
    return f"cells {filling}"
