"""The patched cosine map S and the score xCos = ⟨S, W⟩."""

import tensorflow as tf

from xcos_tf.environment import keras


def normalise_cells(grid: tf.Tensor) -> tf.Tensor:
    """Return `grid` (N, h, w, c) with each cell scaled to unit length, in float32.

    An all-zero cell stays zero, so that its cosine with anything is 0 and never NaN.
    """
    return tf.math.l2_normalize(tf.cast(grid, tf.float32), axis=-1, epsilon=1e-12)


@keras.utils.register_keras_serializable(package="xcos_tf")
class PatchedCosine(keras.layers.Layer):
    """S[i, j] = cos(F_A[i, j], F_B[i, j]): the cosine of each pair of cells.

    Call on two grid features (N, h, w, c) of any float dtype; returns float32 (N, h, w) in
    [−1, 1] up to rounding, 0 where either cell is all zero. Computed in float32 under any dtype
    policy.
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        grid_a, grid_b = inputs
        return tf.reduce_sum(normalise_cells(grid_a) * normalise_cells(grid_b), axis=-1)

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[0][:-1])


@keras.utils.register_keras_serializable(package="xcos_tf")
class FrobeniusProduct(keras.layers.Layer):
    """⟨S, W⟩_F = Σ S[i, j]·W[i, j] (Eq. 2).

    Call on two float maps (N, h, w); returns float32 (N,), within [−1, 1] when |S| ≤ 1 and W is
    non-negative and sums to 1.
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        similarity_map, attention_map = inputs
        return tf.reduce_sum(similarity_map * attention_map, axis=[1, 2])

    def compute_output_shape(self, input_shape):
        return (input_shape[0][0],)
