"""The three attention maps of the paper: U (patched), P (correlated) and L (learned)."""

import tensorflow as tf

from xcos_tf.environment import keras
from xcos_tf.models.normalisation import batch_norm

ATTENTIONS = ("patched", "correlated", "learned")


@keras.utils.register_keras_serializable(package="xcos_tf")
class PatchedAttention(keras.layers.Layer):
    """U: every cell weighs 1/(h·w) (Eq. 3 and 4).

    Call on a similarity map (N, h, w); returns float32 (N, h, w).
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        return tf.ones_like(inputs) / float(inputs.shape[1] * inputs.shape[2])

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.utils.register_keras_serializable(package="xcos_tf")
class CorrelatedAttention(keras.layers.Layer):
    """P: each cell weighs its Pearson correlation with the teacher's cosine (Eq. 5 to 7).

    Call on a similarity map (N, h, w); returns float32 (N, h, w). The weight `correlation`,
    (h, w) in [−1, 1], holds the raw correlations, measured over training pairs and not trained;
    the map is those divided by their sum, so that the score stays on the scale of a cosine. A
    negative correlation stays negative, and such a cell's likeness counts against the pair's. It
    starts as ones, which is U.
    """

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def build(self, input_shape):
        self.correlation = self.add_weight(
            name="correlation", shape=tuple(input_shape[1:]), initializer="ones", trainable=False
        )
        super().build(input_shape)

    def call(self, inputs):
        correlation = tf.convert_to_tensor(self.correlation)
        return tf.ones_like(inputs) * (correlation / tf.reduce_sum(correlation))

    def compute_output_shape(self, input_shape):
        return input_shape


@keras.utils.register_keras_serializable(package="xcos_tf")
class CellSoftmax(keras.layers.Layer):
    """Softmax over all cells of a map: (N, h, w, 1) to float32 (N, h, w) ≥ 0 that sums to 1."""

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})

    def call(self, inputs):
        height, width = inputs.shape[1:3]
        flat = tf.reshape(tf.cast(inputs, tf.float32), (-1, height * width))
        return tf.reshape(tf.nn.softmax(flat), (-1, height, width))

    def compute_output_shape(self, input_shape):
        return tuple(input_shape[:-1])


def learned_attention(
    grid_shape: tuple[int, int, int], symmetric: bool = True, name: str = "learned_attention"
) -> keras.Model:
    """Return L: a small CNN from both grid features to the weights of their cells (Eq. 8 and 9).

    A 3×3 convolution to 16 channels is applied to each grid with shared weights, the two results
    are joined, and two more 3×3 convolutions come down to one channel; a softmax over the cells
    makes the map. Batch normalisation and a one-parameter PReLU follow each convolution, as in
    the authors' code.

    Args:
        grid_shape: (h, w, c) of a grid feature.
        symmetric: whether the map is made the same for (A, B) and (B, A), by averaging the CNN's
            answer for both orders before the softmax. The authors' model is not.
        name: name of the model.

    Returns:
        A functional model from [grid_a, grid_b], each (N, h, w, c), to an attention map
        float32 (N, h, w), ≥ 0, that sums to 1.
    """

    def block(channels, prefix):
        return [
            keras.layers.Conv2D(channels, 3, padding="same", name=f"{prefix}_conv"),
            batch_norm(f"{prefix}_bn"),
            keras.layers.PReLU(
                alpha_initializer=keras.initializers.Constant(0.25),
                shared_axes=[1, 2, 3],
                name=f"{prefix}_prelu",
            ),
        ]

    def apply(layers, x):
        for layer in layers:
            x = layer(x)
        return x

    grid_a = keras.Input(grid_shape, name="grid_a")
    grid_b = keras.Input(grid_shape, name="grid_b")
    embed, weigh = block(16, "embed"), block(16, "fuse") + block(1, "weight")
    a, b = apply(embed, grid_a), apply(embed, grid_b)
    logits = apply(weigh, keras.layers.Concatenate(name="join")([a, b]))
    if symmetric:
        swapped = apply(weigh, keras.layers.Concatenate(name="join_swapped")([b, a]))
        logits = keras.layers.Average(name="average")([logits, swapped])
    return keras.Model([grid_a, grid_b], CellSoftmax(name="softmax")(logits), name=name)
