"""How a network in training does on held-out people."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import tensorflow as tf
from tensorflow import keras

from xcos_tf.evaluation.metrics import auc, eer, tar_at_far
from xcos_tf.models.network import XCosNetwork

BLOCK = 2048


@dataclass(frozen=True)
class Pairs:
    """Pairs of faces by position.

    Attributes:
        first, second: int64 (P,).
        same: bool (P,).
    """

    first: np.ndarray
    second: np.ndarray
    same: np.ndarray


def draw_pairs(labels: np.ndarray, genuine: int, impostor: int, seed: int) -> Pairs:
    """Draw pairs of different faces without repetition, fewer where there are not as many."""
    random = np.random.default_rng(seed)
    first, second = np.triu_indices(len(labels), k=1)
    same = labels[first] == labels[second]
    kept = []
    for mask, count in ((same, genuine), (~same, impostor)):
        candidates = np.flatnonzero(mask)
        kept.append(random.choice(candidates, min(count, len(candidates)), replace=False))
    kept = np.concatenate(kept)
    return Pairs(first[kept], second[kept], same[kept])


def embed_features(
    tail: keras.Model, grid_head: keras.Model, features: np.ndarray, batch_size: int = 256
) -> np.ndarray:
    """Return the grid features (N, h, w, c) of cached trunk outputs."""
    run = tf.function(lambda x: grid_head(tail(x)), reduce_retracing=True)
    blocks = [
        run(tf.constant(features[i : i + batch_size], tf.float32)).numpy()
        for i in range(0, len(features), batch_size)
    ]
    return np.concatenate(blocks)


def pair_outputs(comparison: keras.Model, grids: np.ndarray, pairs: Pairs, output: str):
    """Yield (slice of the pairs, that output of the comparison) block by block."""
    run = tf.function(lambda a, b: comparison([a, b])[output], reduce_retracing=True)
    for start in range(0, len(pairs.first), BLOCK):
        block = slice(start, start + BLOCK)
        yield block, run(grids[pairs.first[block]], grids[pairs.second[block]]).numpy()


def pair_scores(comparison: keras.Model, grids: np.ndarray, pairs: Pairs) -> np.ndarray:
    """Return xCos of each pair, float32 (P,)."""
    return np.concatenate([x for _, x in pair_outputs(comparison, grids, pairs, "xcos")])


def teacher_cosines(embeddings: np.ndarray, pairs: Pairs) -> np.ndarray:
    """Return the cosine of each pair, (P,), of embeddings of unit length."""
    return np.einsum("pd,pd->p", embeddings[pairs.first], embeddings[pairs.second])


def summarise(scores: np.ndarray, same: np.ndarray) -> dict[str, float]:
    """Return AUC, EER and TAR at FAR 1e-3 of one score."""
    return {
        "auc": float(auc(scores, same)),
        "eer": float(eer(scores, same)),
        "tar_at_far_1e-3": float(tar_at_far(scores, same, 1e-3)),
    }


def validate(
    network: XCosNetwork,
    grids: np.ndarray,
    embeddings: np.ndarray,
    pairs: Pairs,
    attentions: Sequence[str],
) -> dict[str, dict[str, float]]:
    """Return {score name: its summary and its RMS difference from the teacher's cosine}."""
    teacher = teacher_cosines(embeddings, pairs)
    results = {"teacher": summarise(teacher, pairs.same)}
    for attention in attentions:
        scores = pair_scores(network.comparisons[attention], grids, pairs)
        squared = (scores - teacher) ** 2
        balanced = 0.5 * squared[pairs.same].mean() + 0.5 * squared[~pairs.same].mean()
        results[attention] = summarise(scores, pairs.same) | {"rmse": float(np.sqrt(balanced))}
    return results
