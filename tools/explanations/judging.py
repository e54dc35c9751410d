"""The maps of one pair: what they cost, how faithful they are to the verifier, and how sane."""

import time
from collections.abc import Callable

import numpy as np

from tools.explanations.contenders import Contender, OneScore
from tools.explanations.drawn_pairs import Pair
from tools.explanations.rows import CURVES, FILLINGS
from xcos_tf.explain.faithfulness.cell_ablation import agreement, true_drops
from xcos_tf.explain.faithfulness.deletion import accuracy_under_removal, scores_under_removal
from xcos_tf.explain.faithfulness.sanity import under_random_weights, under_shift, under_swap

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
        {"KIND CURVE FILLING": float64 (2, steps + 1), the score and how often the verdict is right
        while pixels of A are removed, and of B, the mean of both}, and {"cells FILLING": float64
        (1,)}, a rank correlation. The kind is that of the pair, "genuine" or "impostor"; and of
        signed maps of impostor pairs "dissimilarity" too, for the maps negated.
    """
    faces, pair_maps = (pair.face_a, pair.face_b), (maps["map_a"], maps["map_b"])
    kinds = {"genuine" if pair.same else "impostor": pair_maps}
    if maps["signed"][0] and not pair.same:
        kinds["dissimilarity"] = tuple(-x for x in pair_maps)
    found = {}
    for kind, of_kind in kinds.items():
        for curve in CURVES:
            for filling in FILLINGS:
                reveal = curve == "insertion"
                scores = scores_under_removal(verifier, faces, of_kind, filling, reveal)
                right = accuracy_under_removal(scores, pair.same, verifier.threshold())
                found[f"{kind} {curve} {filling}"] = np.stack([scores.mean(axis=0), right])
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
