"""Sanity: a map must depend on the weights, and not on a pixel's shift.

The first is that of J. Adebayo et al., "Sanity Checks for Saliency Maps", NeurIPS 2018, section 3:
weights are randomised layer by layer from the top, and stay so while the next ones are.
"""

import numpy as np
from tensorflow import keras

from xcos_tf.explain.explanation import Method
from xcos_tf.explain.faithfulness.maps import at_pixels, rank_correlation
from xcos_tf.verifier import Verifier

STAGES = 5

Pair = tuple[np.ndarray, np.ndarray]
"""Two aligned faces, uint8 (112, 112, 3), or their maps."""


def under_random_weights(
    method: Method, verifier: Verifier, pair: Pair, stages: int = STAGES, seed: int = 0
) -> dict[str, float]:
    """Compare a pair's maps with those by the same verifier as its weights become random.

    A weight becomes random by shuffling its values, which keeps their distribution. The verifier
    has its own weights again at the end, whatever happens.

    Args:
        method: what explains.
        verifier: whose network's weights become random.
        pair: what is explained.
        stages: how many; the last has all layers random. Fewer if there are fewer layers.
        seed: of the shuffling.

    Returns:
        {the lowest layer that is random: Spearman's rank correlation of the maps with and without},
        a stage each; near 0 is as it should be.
    """
    network = verifier.network
    layers = layers_from_the_top(network)
    reached = sorted({round(len(layers) * i / stages) for i in range(1, stages + 1)} - {0})
    random = np.random.default_rng(seed)
    kept = network.get_weights()
    before = _maps(method, verifier, pair)
    found, done = {}, 0
    try:
        for count in reached:
            for layer in layers[done:count]:
                shuffled = [random.permutation(x.ravel()) for x in layer.get_weights()]
                shapes = [x.shape for x in layer.get_weights()]
                layer.set_weights([x.reshape(y) for x, y in zip(shuffled, shapes, strict=True)])
            done = count
            found[layers[count - 1].name] = _alike(before, _maps(method, verifier, pair))
    finally:
        network.set_weights(kept)
    return found


def under_shift(method: Method, verifier: Verifier, pair: Pair) -> float:
    """Compare maps with those of the faces moved one pixel to the right, which are moved back.

    Returns:
        Spearman's rank correlation, pixel by pixel; near 1 is as it should be.
    """
    moved = tuple(np.concatenate([face[:, :1], face[:, :-1]], axis=1) for face in pair)
    before, after = (_maps(method, verifier, x) for x in (pair, moved))
    return _alike([x[:, :-1] for x in before], [x[:, 1:] for x in after])


def layers_from_the_top(model: keras.Model) -> list[keras.layers.Layer]:
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


def _maps(method, verifier, pair) -> list[np.ndarray]:
    """Return the two maps of a pair, a value a pixel."""
    explanation = method.explain(verifier, *pair)
    return [at_pixels(x, pair[0].shape[:2]) for x in (explanation.map_a, explanation.map_b)]


def _alike(before, after) -> float:
    """Return the rank correlation of a pair's maps, the mean of A's and B's."""
    return float(np.mean([rank_correlation(x, y) for x, y in zip(before, after, strict=True)]))
