"""The maps of one pair: how faithful they are to the verifier, and how sane."""

import numpy as np

from xcos_tf.evaluation.drawn_pairs import Pair
from xcos_tf.explain.benchmark.making import Arrays
from xcos_tf.explain.explanation import Method
from xcos_tf.explain.faithfulness.cell_ablation import true_drops
from xcos_tf.explain.faithfulness.deletion import scores_under_removal
from xcos_tf.explain.faithfulness.sanity import under_random_weights, under_shift
from xcos_tf.verifier import Verifier

CURVES = ("deletion", "insertion")
STEPS = 5  # of a curve


class OneScore:
    """A preset's scores by one of its attentions; each face goes through the backbone once."""

    def __init__(self, verifier: Verifier, attention: str, known: dict[bytes, np.ndarray]):
        """Score by a verifier and keep features in `known`, for whoever shares it."""
        self.verifier, self.attention, self._known = verifier, attention, known

    def embed(self, faces: np.ndarray) -> np.ndarray:
        """See `Verifier.embed`."""
        contents = [face.tobytes() for face in faces]
        new = {x: face for x, face in zip(contents, faces, strict=True) if x not in self._known}
        if new:
            features = self.verifier.embed(np.stack(list(new.values())))
            self._known.update(zip(new, features, strict=True))
        return np.stack([self._known[x] for x in contents])

    def compare_pairs(self, features_a: np.ndarray, features_b: np.ndarray) -> np.ndarray:
        """See `Verifier.compare_pairs`."""
        return self.verifier.compare_pairs(features_a, features_b, self.attention)


def drops(scorer: OneScore, pair: Pair, fill: str) -> Arrays:
    """Return {"drops": float64 (7, 7)}, what covering each cell of face A does to the score."""
    return {"drops": true_drops(scorer, *pair[:2], fill)}


def curves(scorer: OneScore, pair: Pair, maps: Arrays, fill: str) -> Arrays:
    """Return the scores while pixels are removed by the maps of `explain`.

    Returns:
        {one of `CURVES`: float64 (2, STEPS + 1)}, of A changed, then of B.
    """
    of_pair = pair[:2], (maps["map_a"], maps["map_b"]), fill
    return {
        curve: scores_under_removal(scorer, *of_pair, reveal=curve == "insertion", steps=STEPS)
        for curve in CURVES
    }


def check(method: Method, verifier: Verifier, network: Verifier, pair: Pair) -> Arrays:
    """Return how maps depend on the weights, and on a pixel's shift.

    Args:
        method, verifier, pair: as of `explain`.
        network: the same preset in Keras, whose weights can be shuffled.

    Returns:
        "random weights" and "shift" float64 (1,); see `sanity`.
    """
    shuffled = under_random_weights(method, network, pair[:2], stages=1)
    shift = under_shift(method, verifier, pair[:2])
    return {"random weights": np.array([*shuffled.values()]), "shift": np.array([shift])}
