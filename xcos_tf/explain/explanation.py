"""What an explanation of a pair's score is, whichever method made it."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from xcos_tf.verifier import Verifier


@dataclass(frozen=True)
class Cost:
    """What an explanation took.

    Attributes:
        seconds: of wall-clock time, the faces' own verification included.
        forward: faces that went through a backbone.
        backward: faces that a gradient was taken of.
    """

    seconds: float
    forward: int
    backward: int = 0


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
        cost: see `Cost`.
        similarity_map, attention_map: S and W, of xCos alone; else None.
    """

    method: str
    map_a: np.ndarray
    map_b: np.ndarray
    signed: bool
    per_pair: bool
    score: float
    cost: Cost
    similarity_map: np.ndarray | None = None
    attention_map: np.ndarray | None = None


class Method(Protocol):
    """A way to explain.

    Attributes:
        name: such as "gradcam".
        symmetric: whether it claims that swapping A and B swaps the maps and nothing else.
        needs: "grid" where it explains an xCos preset, "embedding" where a plain one, "any".
    """

    name: str
    symmetric: bool
    needs: str

    def explain(self, verifier: Verifier, face_a: np.ndarray, face_b: np.ndarray) -> Explanation:
        """Explain the score of two aligned faces, uint8 (112, 112, 3) RGB.

        Raises:
            XcosError: the preset is not of the kind that the method needs.
        """
