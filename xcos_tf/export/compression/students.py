"""The three networks in training: pruned, weight-clustered and quantisation-aware.

They take Keras 2, so a process started with TF_USE_LEGACY_KERAS=1; see `child`.
"""

from collections.abc import Mapping, Sequence

import numpy as np
from tensorflow import keras

from xcos_tf.export.compression.layers import LayerOperations
from xcos_tf.export.compression.layout import grid_feature
from xcos_tf.models.mobilefacenet import BLOCKS

# A kernel of fewer weights is left as it is: it is a small part of the file and much of the
# accuracy.
SMALLEST_KERNEL = 4096


class Student:
    """A network in training.

    Attributes:
        model: from images float32 (N, h, w, 3) in [−1, 1] to the grid feature (N, h, w, c).
    """

    model: keras.Model

    def __init__(self, ops: LayerOperations, size: int, blocks: Sequence):
        image = keras.Input((size, size, 3), name="image")
        self.ops = ops
        self.model = keras.Model(image, grid_feature(image, ops, blocks))

    def settle(self) -> None:
        """Bring the weights in line after the last step."""

    def arrays(self) -> dict[str, np.ndarray]:
        """Return {operation/weight: array}, and whatever else the variant's file holds."""
        return {name: np.asarray(variable) for name, variable in self.ops.variables.items()}


def _is_large(layer) -> bool:
    return (
        isinstance(layer, keras.layers.Conv2D)
        and not isinstance(layer, keras.layers.DepthwiseConv2D)
        and np.prod(layer.kernel.shape) >= SMALLEST_KERNEL
    )


class PrunedStudent(Student):
    """Ever more of the smallest weights of each large kernel become 0, then it recovers."""

    def __init__(
        self,
        weights: Mapping[str, np.ndarray],
        size: int,
        sparsity: float,
        steps: int,
        blocks: Sequence = BLOCKS,
    ):
        """Take weights to start from and the share of weights to lose, in (0, 1)."""
        from tensorflow_model_optimization.sparsity import keras as sparsity_api

        schedule = sparsity_api.PolynomialDecay(
            initial_sparsity=sparsity / 2,
            final_sparsity=sparsity,
            begin_step=0,
            end_step=max(steps // 2, 1),
            frequency=max(steps // 40, 1),
        )

        def wrap(layer):
            if not _is_large(layer):
                return layer
            return sparsity_api.prune_low_magnitude(layer, pruning_schedule=schedule)

        super().__init__(LayerOperations(weights, wrap), size, blocks)
        self._callback = sparsity_api.UpdatePruningStep()
        self._callback.set_model(self.model)
        self._callback.on_train_begin()

    def settle(self):
        self._callback.on_epoch_end(None)


class ClusteredStudent(Student):
    """Each large kernel has so many distinct values."""

    def __init__(
        self,
        weights: Mapping[str, np.ndarray],
        size: int,
        clusters: int,
        blocks: Sequence = BLOCKS,
    ):
        """Take weights to start from and the number of distinct values, 2 or more."""
        from tensorflow_model_optimization.clustering import keras as clustering_api

        def wrap(layer):
            if not _is_large(layer):
                return layer
            return clustering_api.cluster_weights(
                layer,
                number_of_clusters=clusters,
                cluster_centroids_init=clustering_api.CentroidInitialization.KMEANS_PLUS_PLUS,
            )

        super().__init__(LayerOperations(weights, wrap), size, blocks)
        self._wrapped = {
            name: layer
            for name, layer in self.ops.layers.items()
            if hasattr(layer, "pulling_indices")
        }

    def arrays(self):
        arrays = super().arrays()
        for name, wrapper in self._wrapped.items():
            wrapper.update_clustered_weights_associations()
            arrays[f"{name}/kernel"] = np.asarray(wrapper.layer.kernel)
        return arrays
