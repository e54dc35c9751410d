"""What compression costs: how far S and xCos are from the float preset's, on people held out."""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from xcos_tf.arrays import unit_length
from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.sampling import draw_pairs
from xcos_tf.data.training_input import face_batches
from xcos_tf.metrics.rates import eer
from xcos_tf.models.presets import Preset
from xcos_tf.verifier import Verifier

GENUINE, IMPOSTOR = 5000, 20000
_BATCH = 32


def compression_cost(
    preset: Preset, grids: dict[str, Callable], faces: FaceSet, seed: int
) -> dict[str, dict[str, float]]:
    """Compare compressed grids with the float one, by the default attention of its preset.

    Args:
        grids: {name: function from images float32 (N, 112, 112, 3) in [−1, 1] to grid features};
            see `CompressedNetwork.grid`.
        faces: of people who were not trained on.
        seed: of the pairs' draw.

    Returns:
        {name: {"eer", and against the float preset "xcos_rmse", "xcos_correlation", "s_rmse",
        "s_correlation", and "cell_cosine", the mean of two features of the same cell}}, and "eer"
        of "float32".
    """
    pairs = draw_pairs(faces.labels, GENUINE, IMPOSTOR, seed)
    verifier = Verifier(preset)

    def seen_by(grid):
        run = tf.function(lambda images: grid(images, training=False), reduce_retracing=True)
        batches = face_batches(faces, np.arange(len(faces)), batch=_BATCH)
        features = np.concatenate([run(images).numpy() for images in batches])
        return features, verifier.explain_pairs(features[pairs.first], features[pairs.second])

    true_features, true = seen_by(preset.network.features)
    results = {"float32": {"eer": float(eer(true["xcos"], pairs.same))}}
    for name, grid in grids.items():
        features, found = seen_by(grid)
        results[name] = {
            "eer": float(eer(found["xcos"], pairs.same)),
            **_apart("xcos", found["xcos"], true["xcos"]),
            **_apart("s", found["similarity_map"], true["similarity_map"]),
            "cell_cosine": float(
                (unit_length(features) * unit_length(true_features)).sum(axis=-1).mean()
            ),
        }
    return results


def _apart(name, found, true):
    return {
        f"{name}_rmse": float(np.sqrt(np.mean(np.square(found - true)))),
        f"{name}_correlation": float(np.corrcoef(found.ravel(), true.ravel())[0, 1]),
    }
