"""The maps of one pair, and what they cost; of how they are judged this knows nothing."""

import time

import numpy as np

from xcos_tf.evaluation.drawn_pairs import Pair
from xcos_tf.explain.explanation import Method
from xcos_tf.verifier import Verifier

Arrays = dict[str, np.ndarray]


def explain(method: Method, verifier: Verifier, plain: Verifier, pair: Pair) -> Arrays:
    """Return both maps and what they cost, beside a verification by `plain` at the same time.

    Returns:
        "map_a" and "map_b" float32 (h, w); "seconds" float64 (2,), with and without an explanation;
        "passes" int64 (2,), forward and backward.
    """
    start = time.perf_counter()
    features = plain.embed(np.stack(pair[:2]))
    plain.compare_pairs(features[:1], features[1:])
    seconds = time.perf_counter() - start
    found = method.explain(verifier, *pair[:2])
    return {
        "map_a": found.map_a,
        "map_b": found.map_b,
        "seconds": np.array([found.seconds, seconds]),
        "passes": np.array([found.forward, found.backward]),
    }
