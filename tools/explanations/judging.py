"""The maps of one pair: what they cost, how faithful they are to the verifier, and how sane."""

import time
from collections.abc import Callable

import numpy as np

from tools.explanations.contenders import Contender, OneScore
from tools.explanations.drawn_pairs import Pair
from xcos_tf.explain.faithfulness.cell_ablation import agreement, true_drops
from xcos_tf.explain.faithfulness.deletion import deletion_curve, insertion_curve
from xcos_tf.explain.faithfulness.fillings import FILLINGS
from xcos_tf.explain.faithfulness.sanity import under_random_weights, under_shift, under_swap

CURVES = {"deletion": deletion_curve, "insertion": insertion_curve}
Arrays = dict[str, np.ndarray]


def explain(contender: Contender, plain: Callable[[Pair], object], pair: Pair) -> Arrays:
    """Return both maps and what they cost, beside a plain verification at the same time.

    Both are called before, so that all is traced.

    Returns:
        "map_a" and "map_b" float32 (h, w); "signed" bool (1,); "seconds" float64 (2,), with and
        without an explanation; "passes" int64 (2,), forward and backward.
    """
    start = time.perf_counter()
    plain(pair)
    seconds = time.perf_counter() - start
    found = contender.method.explain(contender.verifier, pair.face_a, pair.face_b)
    return {
        "map_a": found.map_a,
        "map_b": found.map_b,
        "signed": np.array([found.signed]),
        "seconds": np.array([found.cost.seconds, seconds]),
        "passes": np.array([found.cost.forward, found.cost.backward]),
    }


def drops(verifier: OneScore, pair: Pair) -> Arrays:
    """Return {filling: float64 (7, 7)}, what covering each cell of face A does to the score."""
    return {x: true_drops(verifier, pair.face_a, pair.face_b, x) for x in FILLINGS}


def judge(verifier: OneScore, pair: Pair, maps: Arrays, of_cells: Arrays) -> Arrays:
    """Return how faithful the maps of `explain` are, beside those drops of cells.

    Returns:
        {"KIND CURVE FILLING": float64 (steps + 1,), 1 where the verdict is right}, the same with
        " area" after it, float64 (1,), and {"cells FILLING": float64 (1,)}, a rank correlation.
        The kind "dissimilarity" is there for signed maps of impostor pairs alone.
    """
    faces = (pair.face_a[np.newaxis], pair.face_b[np.newaxis])
    pair_maps = (maps["map_a"][np.newaxis], maps["map_b"][np.newaxis])
    kinds = {"similarity": pair_maps}
    if maps["signed"][0] and not pair.same:
        kinds["dissimilarity"] = tuple(-x for x in pair_maps)
    found = {}
    for kind, of_kind in kinds.items():
        for name, curve in CURVES.items():
            for filling in FILLINGS:
                result = curve(verifier, faces, of_kind, [pair.same], verifier.threshold(), filling)
                found[f"{kind} {name} {filling}"] = result.accuracy
                found[f"{kind} {name} {filling} area"] = result.pair_areas
    for filling in FILLINGS:
        found[f"cells {filling}"] = np.array([agreement(maps["map_a"], of_cells[filling])])
    return found


def check(contender: Contender, pair: Pair) -> Arrays:
    """Return whether maps hang on the weights, on a pixel's shift, and on which face is first.

    Returns:
        "random weights" float64 (stages,), "shift" and "swap" float64 (1,); see `sanity`.
    """
    about = *contender, (pair.face_a, pair.face_b)
    return {
        "random weights": np.array(list(under_random_weights(*about).values())),
        "shift": np.array([under_shift(*about)]),
        "swap": np.array([under_swap(*about)]),
    }
