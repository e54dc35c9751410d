"""What the tests of the benchmark share: methods whose place is known."""

from functools import cache

import numpy as np

from xcos_tf.explain.explanation import Explanation
from xcos_tf.explain.faithfulness.cell_ablation import true_drops
from xcos_tf.explain.probing import scaled


@cache
def drops_of(verifier, *faces: bytes) -> np.ndarray:
    """Return what covering the cells of the first face does, measured once for all that ask."""
    return true_drops(
        verifier, *(np.frombuffer(x, np.uint8).reshape(112, 112, 3) for x in faces), "black"
    )


class Right:
    """Gives what covering each cell does, the answer itself, as the map of each face."""

    name, needs, sign = "right", "embedding", 1

    def explain(self, verifier, face_a, face_b):
        a, b = face_a.tobytes(), face_b.tobytes()
        maps = [scaled(self.sign * drops_of(verifier, *faces)) for faces in ((a, b), (b, a))]
        return Explanation(self.name, *maps, True, False, 0.0, 0.001, 200)


class Wrong(Right):
    """Gives the opposite."""

    name, sign = "wrong", -1
