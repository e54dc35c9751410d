"""Maps that know nothing of the verifier: what a good explanation must beat."""

import hashlib
from abc import abstractmethod

import numpy as np

from xcos_tf.data.alignment import FACE_SIZE, TEMPLATE_LANDMARKS
from xcos_tf.explain.explanation import Findings, Method
from xcos_tf.explain.probing import CELLS, scores_of_variants

SPREAD = FACE_SIZE / 4  # the Gaussian's standard deviation, pixels


class Baseline(Method):
    """One map of both faces, in [0, 1]."""

    signed = False

    @abstractmethod
    def map_of(self, face_a: np.ndarray, face_b: np.ndarray) -> np.ndarray:
        """Return the map, float (h, w)."""

    def find(self, verifier, face_a, face_b) -> Findings:
        [score] = scores_of_variants(verifier, face_a[np.newaxis], face_b[np.newaxis])
        return Findings((self.map_of(face_a, face_b),), score)


class RandomMap(Baseline):
    """A random value in [0, 1] for each cell, of cells because noise a pixel would blur a face.

    One map for both faces: to take away different places of each would hurt a score far more than
    to take away the same, and so more than what most methods point at. The values follow from what
    the pair shows, whichever face is first, so that an explanation can be repeated.
    """

    name = "random"

    def map_of(self, face_a, face_b) -> np.ndarray:
        content = hashlib.sha256(b"".join(sorted(x.tobytes() for x in (face_a, face_b))))
        seed = int.from_bytes(content.digest(), "big")
        return np.random.default_rng(seed).random((CELLS, CELLS))


class FaceCentre(Baseline):
    """A Gaussian about the middle of the landmarks that faces are aligned to."""

    name = "face-centre"

    def map_of(self, face_a, face_b) -> np.ndarray:
        x, y = TEMPLATE_LANDMARKS.mean(axis=0)
        rows, columns = np.mgrid[:FACE_SIZE, :FACE_SIZE]
        return np.exp(-((columns - x) ** 2 + (rows - y) ** 2) / (2 * SPREAD**2))
