"""Maps that know nothing of the verifier: what a good explanation must beat."""

import hashlib
import time

import numpy as np

from xcos_tf.data.alignment import FACE_SIZE, TEMPLATE_LANDMARKS
from xcos_tf.explain.explanation import Cost, Explanation
from xcos_tf.explain.probing import CELLS, scaled, scores_of_variants
from xcos_tf.verifier import Verifier

SPREAD = FACE_SIZE / 4  # the Gaussian's standard deviation, pixels


class RandomMap:
    """A random value in [0, 1] for each cell, of cells because noise a pixel would blur a face.

    One map for both faces: to take away different places of each would hurt a score far more than
    to take away the same, and so more than what most methods point at. The values follow from what
    the pair shows, whichever face is first, so that an explanation can be repeated.
    """

    name = "random"
    symmetric = True
    needs = "any"

    def explain(self, verifier: Verifier, face_a: np.ndarray, face_b: np.ndarray) -> Explanation:
        """Explain a pair, with one map in [0, 1] of 7×7 cells; see `Method`."""
        start = time.perf_counter()
        values = scaled(_random_of(face_a, face_b).random((CELLS, CELLS)))
        return _with_score(self.name, verifier, face_a, face_b, values, start)


class FaceCentre:
    """A Gaussian about the middle of the landmarks that faces are aligned to."""

    name = "face-centre"
    symmetric = True
    needs = "any"

    def explain(self, verifier: Verifier, face_a: np.ndarray, face_b: np.ndarray) -> Explanation:
        """Explain a pair, with one map in [0, 1] of a value a pixel; see `Method`."""
        start = time.perf_counter()
        x, y = TEMPLATE_LANDMARKS.mean(axis=0)
        rows, columns = np.mgrid[:FACE_SIZE, :FACE_SIZE]
        values = scaled(np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * SPREAD**2)))
        return _with_score(self.name, verifier, face_a, face_b, values, start)


def _random_of(*faces: np.ndarray) -> np.random.Generator:
    """Return a generator whose seed is the faces' content, in any order."""
    content = hashlib.sha256(b"".join(sorted(face.tobytes() for face in faces)))
    return np.random.default_rng(int.from_bytes(content.digest(), "big"))


def _with_score(name, verifier, face_a, face_b, values, start) -> Explanation:
    score = float(scores_of_variants(verifier, face_a[np.newaxis], face_b[np.newaxis])[0])
    cost = Cost(time.perf_counter() - start, forward=2)
    return Explanation(name, values, values, signed=False, per_pair=True, score=score, cost=cost)
