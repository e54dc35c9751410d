"""The maps of one pair, and what they cost beside a plain verification."""

import time
from collections.abc import Callable

import numpy as np

from tools.explanations.contenders import Contender
from tools.explanations.drawn_pairs import Pair
from tools.explanations.keeping import Arrays


def explain(contender: Contender, plain: Callable[[Pair], object], pair: Pair) -> Arrays:
    """Return both maps and what they cost, beside a plain verification at the same time.

    Args:
        contender: that explains; it has been called before, so that all is traced.
        plain: verifies a pair and explains nothing; called before, too.
        pair: that is explained.

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
