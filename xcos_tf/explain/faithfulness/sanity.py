"""Sanity: a map must hang on the weights, not on a pixel's shift, and not on which face is first.

The first is that of J. Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018, section 3:
weights are randomised layer by layer from the top, and stay so while the next ones are.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from tensorflow import keras

from xcos_tf.explain.explanation import Explanation, Method
from xcos_tf.explain.faithfulness.estimate import Estimate, mean_over_pairs
from xcos_tf.explain.faithfulness.maps import at_pixels, rank_correlation
from xcos_tf.verifier import Verifier

STAGES = 5

Pair = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class RandomisedStage:
    """How alike maps are to what they were, with the weights of some layers random.

    Attributes:
        layers: how many are random, from the top.
        lowest: the name of the last of them.
        correlation: Spearman's, of maps with and without; near 0 is as it should be.
    """

    layers: int
    lowest: str
    correlation: Estimate


def under_random_weights(
    method: Method, verifier: Verifier, pairs: Sequence[Pair], stages: int = STAGES, seed: int = 0
) -> list[RandomisedStage]:
    """Compare a method's maps with those of the same verifier as its weights become random.

    A weight becomes random by shuffling its values, which keeps their distribution. The verifier
    has its own weights again at the end, whatever happens.

    Args:
        method: what explains.
        verifier: whose network's weights become random.
        pairs: aligned faces, uint8 (112, 112, 3).
        stages: how many; the last has all layers random. Fewer if there are fewer layers.
        seed: of the shuffling and the intervals.
    """
    network = verifier.network
    layers = layers_from_the_top(network)
    reached = sorted({round(len(layers) * i / stages) for i in range(1, stages + 1)} - {0})
    random = np.random.default_rng(seed)
    kept = network.get_weights()
    before = _maps(method, verifier, pairs)
    results, done = [], 0
    try:
        for count in reached:
            for layer in layers[done:count]:
                layer.set_weights([_shuffled(x, random) for x in layer.get_weights()])
            done = count
            alike = _alike(before, _maps(method, verifier, pairs))
            results.append(
                RandomisedStage(count, layers[count - 1].name, mean_over_pairs(alike, seed))
            )
    finally:
        network.set_weights(kept)
    return results


def under_shift(
    method: Method, verifier: Verifier, pairs: Sequence[Pair], seed: int = 0
) -> Estimate:
    """Compare maps with those of the faces moved one pixel to the right, which are moved back.

    Returns:
        Spearman's rank correlation, pixel by pixel; near 1 is as it should be.
    """
    moved = [tuple(_moved(face) for face in pair) for pair in pairs]
    before, after = (_maps(method, verifier, x) for x in (pairs, moved))
    before = [tuple(x[:, :-1] for x in maps) for maps in before]
    after = [tuple(x[:, 1:] for x in maps) for maps in after]
    return mean_over_pairs(_alike(before, after), seed)


def under_swap(
    method: Method, verifier: Verifier, pairs: Sequence[Pair], seed: int = 0
) -> Estimate:
    """Compare the maps of (A, B) with those of (B, A).

    Returns:
        The greatest difference of a pair's maps, in [0, 2]; 0 for a method that is `symmetric`,
        but for rounding.
    """
    differences = []
    for a, b in pairs:
        one, other = method.explain(verifier, a, b), method.explain(verifier, b, a)
        differences.append(
            max(
                np.abs(one.map_a - other.map_b).max(),
                np.abs(one.map_b - other.map_a).max(),
            )
        )
    return mean_over_pairs(differences, seed)


def layers_from_the_top(model: keras.Model) -> list[keras.Layer]:
    """Return the layers of a model that have weights, those of models in it too, last first."""
    found = {}

    def visit(layer):
        if isinstance(layer, keras.Model):
            for part in getattr(layer, "parts", layer.layers):
                visit(part)
        elif layer.weights:
            found.setdefault(id(layer), layer)

    visit(model)
    return list(found.values())[::-1]


def _maps(method, verifier, pairs) -> list[Pair]:
    """Return the two maps of each pair, a value a pixel."""
    return [_at_pixels(method.explain(verifier, a, b), a.shape[:2]) for a, b in pairs]


def _at_pixels(explanation: Explanation, shape: tuple[int, int]) -> Pair:
    return at_pixels(explanation.map_a, shape), at_pixels(explanation.map_b, shape)


def _alike(before, after) -> list[float]:
    """Return the rank correlation of each pair's maps, the mean of A's and B's."""
    return [
        float(np.mean([rank_correlation(x, y) for x, y in zip(old, new, strict=True)]))
        for old, new in zip(before, after, strict=True)
    ]


def _moved(face):
    """Return a face one pixel to the right, its left column twice."""
    return np.concatenate([face[:, :1], face[:, :-1]], axis=1)


def _shuffled(weight, random):
    return random.permutation(weight.ravel()).reshape(weight.shape)
