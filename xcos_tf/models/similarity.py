"""The patched cosine map S and the score xCos = ⟨S, W⟩."""

import tensorflow as tf

from xcos_tf.environment import keras


def unit_length(vectors: tf.Tensor) -> tf.Tensor:
    """Return float32 (..., c) with each vector scaled to unit length, however short it is.

    An all-zero vector stays zero, so that its cosine with anything is 0 and never NaN; its gradient
    is 0.
    """
    vectors = tf.cast(vectors, tf.float32)
    # The squares of a very short vector would underflow. What it is divided by here does not change
    # its direction, so there is no gradient through it.
    largest = tf.stop_gradient(tf.reduce_max(tf.abs(vectors), axis=-1, keepdims=True))
    return tf.math.l2_normalize(tf.math.divide_no_nan(vectors, largest), axis=-1)


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
        return tf.reduce_sum(unit_length(grid_a) * unit_length(grid_b), axis=-1)

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
