"""What occlusion sensitivity and CorrRISE share: cover a face in many ways, one face at a time."""

import time
from collections.abc import Callable

import numpy as np

from xcos_tf.explain.explanation import Cost, Explanation
from xcos_tf.explain.probing import cover, scaled, scores_of_variants
from xcos_tf.verifier import Verifier


def explain_by_covering(
    name: str,
    verifier: Verifier,
    faces: tuple[np.ndarray, np.ndarray],
    masks: np.ndarray,
    filling: int,
    to_map: Callable[[np.ndarray, np.ndarray, float], np.ndarray],
) -> Explanation:
    """Explain a score by what it becomes when either face is covered by the same masks.

    Args:
        name: of the method.
        verifier: anything with `embed` and `compare_pairs`, as `Verifier`.
        faces: A and B, uint8 (h, w, 3).
        masks: bool (N, h, w), true where covered.
        filling: the grey value that covers.
        to_map: from masks, their scores (N,) and the score of the pair as it is to a map (h, w),
            higher where the place speaks for "same".
    """
    start = time.perf_counter()
    face_a, face_b = (face[np.newaxis] for face in faces)
    # The face as it is comes first, so that its score is of the same batches as the others.
    variants_a, variants_b = (
        np.concatenate([x, cover(x[0], masks, filling)]) for x in (face_a, face_b)
    )
    with_a = scores_of_variants(verifier, variants_a, face_b)
    with_b = scores_of_variants(verifier, face_a, variants_b)
    map_a, map_b = (scaled(to_map(masks, x[1:], float(x[0]))) for x in (with_a, with_b))
    cost = Cost(time.perf_counter() - start, len(variants_a) + len(variants_b) + 2)
    return Explanation(name, map_a, map_b, True, False, float(with_a[0]), cost)
