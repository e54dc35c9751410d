"""Whether a method's maps of one pair are sane."""

import numpy as np

from tools.explanations.contenders import Contender
from tools.explanations.drawn_pairs import Pair
from tools.explanations.keeping import Arrays
from tools.explanations.rows import SHIFT, SWAP, WEIGHTS
from xcos_tf.explain.faithfulness.sanity import under_random_weights, under_shift, under_swap


def check(contender: Contender, pair: Pair) -> Arrays:
    """Return whether maps hang on the weights, on a pixel's shift, and on which face is first.

    Returns:
        "random weights" float64 (stages,), "shift" and "swap" float64 (1,); see `sanity`.
    """
    method, verifier, pairs = contender.method, contender.verifier, [(pair.face_a, pair.face_b)]
    stages = under_random_weights(method, verifier, pairs)
    return {
        WEIGHTS: np.array([stage.correlation.value for stage in stages]),
        SHIFT: np.array([under_shift(method, verifier, pairs).value]),
        SWAP: np.array([under_swap(method, verifier, pairs).value]),
    }
