"""What an explanation of a pair's score is, and what all methods that make one share."""

import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.explain.probing import scaled
from xcos_tf.verifier import Verifier


@dataclass(frozen=True)
class Explanation:
    """Where in two aligned faces their score comes from.

    Attributes:
        method: its name, as in `METHODS`.
        map_a, map_b: float32 (h, w), over the whole of face A and of face B, whatever h and w. The
            higher, the more this place speaks for "same"; where `signed`, places below 0 speak
            for "different". The greatest absolute value is 1, unless all are 0.
        signed: whether values reach from −1 to 1; otherwise they are in [0, 1].
        per_pair: whether one map was made for the pair, so that map_a and map_b are the same.
        score: of the pair, the one that is explained.
        seconds: that it took, of wall-clock time, the faces' own verification included.
        forward: faces that went through a backbone.
        backward: faces that a gradient was taken of.
        similarity_map, attention_map: S and W, of xCos alone; else None.
    """

    method: str
    map_a: np.ndarray
    map_b: np.ndarray
    signed: bool
    per_pair: bool
    score: float
    seconds: float
    forward: int
    backward: int = 0
    similarity_map: np.ndarray | None = None
    attention_map: np.ndarray | None = None


class Findings(NamedTuple):
    """What a method found: one map of the pair or two of its faces, of any scale, and the rest."""

    maps: tuple[np.ndarray, ...]
    score: float
    forward: int = 2
    backward: int = 0
    similarity_map: np.ndarray | None = None
    attention_map: np.ndarray | None = None


class Method(ABC):
    """A way to explain; a subclass gives what is below, and `find`.

    Swapping A and B is to swap the maps and nothing else.

    Attributes:
        name: such as "gradcam".
        needs: "grid" where it explains an xCos preset, "embedding" where a plain one, "any".
        signed: see `Explanation`.
    """

    name: str
    needs = "any"
    signed = True

    @abstractmethod
    def find(self, verifier: Verifier, face_a: np.ndarray, face_b: np.ndarray) -> Findings:
        """Return the maps of two aligned faces, uint8 (112, 112, 3) RGB, and their score."""

    def explain(self, verifier: Verifier, face_a: np.ndarray, face_b: np.ndarray) -> Explanation:
        """Explain the score of two aligned faces, uint8 (112, 112, 3) RGB.

        Args:
            verifier: of the preset; where any will do, whatever has `embed` and `compare_pairs`.

        Raises:
            XcosError: the preset is not of the kind that the method needs.
        """
        self._check(verifier)
        start = time.perf_counter()
        maps, score, *passes_and_maps = self.find(verifier, face_a, face_b)
        seconds = time.perf_counter() - start
        map_a, map_b = scaled(maps[0]), scaled(maps[-1])
        told = map_a, map_b, self.signed, len(maps) == 1, float(score), seconds
        return Explanation(self.name, *told, *passes_and_maps)

    def _check(self, verifier: Verifier) -> None:
        if self.needs == "grid" and not verifier.explains:
            raise XcosError(
                f"{self.name!r} explains the score of a grid and the preset "
                f"{verifier.config['name']!r} has none; use an xCos preset"
            )
        if self.needs == "embedding" and verifier.explains:
            raise XcosError(
                f"{self.name!r} explains the cosine of two embeddings and the preset "
                f"{verifier.config['name']!r} has a grid; use a plain preset such as "
                "'mobilefacenet'"
            )
