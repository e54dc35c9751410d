"""Exact decomposition of a plain cosine over cells, where what follows the feature map allows it.

If no non-linearity mixes the cells of the last feature map, as in `depthwise_head` and `fc_head` at
inference, an embedding is a bias plus a sum of contributions of cells, and its cosine with another
is a sum too. The bias belongs to no cell; its part of the cosine is spread evenly over them, which
leaves their order as it is. A decomposition of A with B's embedding as it is, and one of B with
A's, each sum to the same cosine.
"""

from typing import NamedTuple

import numpy as np

from xcos_tf.errors import XcosError
from xcos_tf.explain.explanation import Findings, Method
from xcos_tf.runtime.loading import Runtime
from xcos_tf.verifier import Verifier

# Of an embedding's length, how far the sum may be from it. Rounding takes it some 3e-6 away, a tail
# with a non-linearity far more than this.
TOLERANCE = 1e-3


class CellSums(NamedTuple):
    """Embeddings as sums: embedding = bias + Σ over cells of contributions.

    Attributes:
        contributions: float64 (N, h, w, dimension).
        bias: float64 (dimension,), the embedding of a feature map that is 0.
        embeddings: float32 (N, dimension), as the network itself gives them.
    """

    contributions: np.ndarray
    bias: np.ndarray
    embeddings: np.ndarray


class TailDecomposition(Method):
    """See the module; the only cost above a plain verification is that of the head."""

    name = "tail"
    needs = "embedding"

    def find(self, verifier, face_a, face_b) -> Findings:
        sums = self.cell_sums(verifier, np.stack([face_a, face_b]))
        [score] = verifier.compare_pairs(sums.embeddings[:1], sums.embeddings[1:])
        return Findings(cosine_maps(sums), score)

    def cell_sums(self, verifier: Verifier, faces: np.ndarray) -> CellSums:
        """Take the embeddings of aligned faces, uint8 (N, 112, 112, 3), apart.

        Raises:
            XcosError: the cells do not add up.
        """
        nothing, of_cells, embeddings = _head_outputs(verifier.runtime, faces)
        bias = nothing.astype(np.float64)
        contributions = (of_cells.astype(np.float64) - bias) / of_cells[0, ..., 0].size
        missing = np.linalg.norm(
            bias + contributions.sum(axis=(1, 2)) - embeddings, axis=-1
        ) / np.linalg.norm(embeddings, axis=-1)
        if not (missing <= TOLERANCE).all():
            raise XcosError(
                f"{self.name!r} cannot explain the preset {verifier.config['name']!r}: the part of "
                "it that follows the feature map is not linear, so its cells do not add up to the "
                "embedding; use another method"
            )
        return CellSums(contributions, bias, embeddings)


def cosine_maps(sums: CellSums) -> tuple[np.ndarray, np.ndarray]:
    """Return what each cell of A, and each of B, adds to the cosine of the two.

    Args:
        sums: of A and of B, N = 2.

    Returns:
        Two maps, float64 (h, w), each of which sums to the cosine.
    """
    unit = [x / np.linalg.norm(x) for x in sums.embeddings.astype(np.float64)]
    return tuple(
        (cells + sums.bias / cells[..., 0].size) @ other / np.linalg.norm(own.astype(np.float64))
        for cells, own, other in zip(sums.contributions, sums.embeddings, unit[::-1], strict=True)
    )


def _head_outputs(runtime: Runtime, faces: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return what the head makes of nothing (d,), of each cell alone (N, h, w, d) and of all."""
    feature_maps = runtime.feature_maps(faces)
    shape = feature_maps.shape[1:]
    cells = shape[0] * shape[1]
    # Cell i of a feature map alone, everything else 0. The cell is as many times as strong as there
    # are cells, which is undone later: rounding is of the size of the bias, which may be greater
    # than an embedding, and would count as many times.
    one_cell = np.eye(cells, dtype=np.float32).reshape(1, cells, *shape[:2], 1) * cells
    alone = (feature_maps[:, np.newaxis] * one_cell).reshape(-1, *shape)
    outputs = runtime.head(np.concatenate([np.zeros((1, *shape), np.float32), feature_maps, alone]))
    embeddings = outputs[1 : len(faces) + 1]
    of_cells = outputs[len(faces) + 1 :].reshape(len(faces), *shape[:2], -1)
    return outputs[0], of_cells, embeddings
