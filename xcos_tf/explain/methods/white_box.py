"""What gradient and activation maps share: each face's cosine with the other, which stays fixed."""

import time
from abc import ABC, abstractmethod
from weakref import WeakKeyDictionary

import numpy as np
import tensorflow as tf

from xcos_tf.explain.embedding_score import EmbeddingScore
from xcos_tf.explain.explanation import Cost, Explanation
from xcos_tf.explain.probing import scaled
from xcos_tf.models.normalisation import normalise_pixels
from xcos_tf.verifier import Verifier


class WhiteBoxMethod(ABC):
    """Explains the plain cosine of two faces by a map of A with B fixed, and one of B with A fixed.

    A subclass gives `name` and the two methods below. Maps are in [0, 1].
    """

    name: str
    symmetric = True
    needs = "embedding"

    def __init__(self):
        # By verifier, as a model that has run once runs faster.
        self._scores = WeakKeyDictionary()

    @abstractmethod
    def map_of(self, score: EmbeddingScore, image: tf.Tensor) -> np.ndarray:
        """Return the map of one face, float (1, h, w), ≥ 0, of any scale.

        Args:
            score: with the other face fixed.
            image: float32 (1, 112, 112, 3) in [−1, 1].
        """

    @abstractmethod
    def passes(self, score: EmbeddingScore) -> tuple[int, int]:
        """Return how many faces one map takes through the backbone, and through a gradient."""

    def explain(self, verifier: Verifier, face_a: np.ndarray, face_b: np.ndarray) -> Explanation:
        """Explain a pair, with maps in [0, 1]; see `Method`."""
        start = time.perf_counter()
        if verifier not in self._scores:
            self._scores[verifier] = EmbeddingScore(verifier, self.name)
        score = self._scores[verifier]
        faces = np.stack([face_a, face_b])
        embeddings = verifier.embed(faces)
        cosine = float(verifier.compare_pairs(embeddings[:1], embeddings[1:])[0])
        images = normalise_pixels(faces)
        maps = []
        for i in range(2):
            score.compare_with(embeddings[1 - i])
            maps.append(scaled(np.asarray(self.map_of(score, images[i : i + 1]))[0]))
        forward, backward = self.passes(score)
        cost = Cost(time.perf_counter() - start, 2 + 2 * forward, 2 * backward)
        return Explanation(self.name, *maps, signed=False, per_pair=False, score=cosine, cost=cost)
