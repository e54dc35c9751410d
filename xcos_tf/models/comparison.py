"""From two grid features to the explained score: S, the attention map W, and xCos = ⟨S, W⟩."""

import tensorflow as tf

from xcos_tf.environment import keras
from xcos_tf.models.normalisation import batch_norm, prelu, unit_length
from xcos_tf.models.preset_threshold import ATTENTIONS, PLAIN_COSINE

LARGEST_TILT, TILTS = 8.0, 2


class _Float32Layer(keras.layers.Layer):
    """Computes in float32 under any dtype policy."""

    def __init__(self, **kwargs):
        super().__init__(**{"dtype": "float32", **kwargs})


@keras.utils.register_keras_serializable(package="xcos_tf")
class PatchedCosine(_Float32Layer):
    """S[i, j] = cos(F_A[i, j], F_B[i, j]): the cosine of each pair of cells.

    Call on two grid features (N, h, w, c) of any float dtype; returns float32 (N, h, w) in
    [−1, 1] up to rounding, 0 where either cell is all zero.
    """

    def call(self, inputs):
        grid_a, grid_b = inputs
        return tf.reduce_sum(unit_length(grid_a) * unit_length(grid_b), axis=-1)


@keras.utils.register_keras_serializable(package="xcos_tf")
class FrobeniusProduct(_Float32Layer):
    """⟨S, W⟩_F = Σ S[i, j]·W[i, j] (Eq. 2).

    Call on two float maps (N, h, w); returns float32 (N,), within [−1, 1] when |S| ≤ 1 and W is
    non-negative and sums to 1.
    """

    def call(self, inputs):
        similarity_map, attention_map = inputs
        return tf.reduce_sum(similarity_map * attention_map, axis=[1, 2])


@keras.utils.register_keras_serializable(package="xcos_tf")
class PatchedAttention(_Float32Layer):
    """U: every cell weighs 1/(h·w) (Eq. 3 and 4).

    Call on a similarity map (N, h, w); returns float32 (N, h, w).
    """

    def call(self, inputs):
        return tf.ones_like(inputs) / float(inputs.shape[1] * inputs.shape[2])


@keras.utils.register_keras_serializable(package="xcos_tf")
class CorrelatedAttention(_Float32Layer):
    """P: each cell weighs its Pearson correlation with the teacher's cosine (Eq. 5 to 7).

    Call on a similarity map (N, h, w); returns float32 (N, h, w). The weight `correlation`,
    (h, w) in [−1, 1], holds the raw correlations, measured over training pairs and not trained;
    the map is those divided by their sum, so that the score stays on the scale of a cosine. A
    negative correlation stays negative, and such a cell's likeness counts against the pair's. It
    starts as ones, which is U.
    """

    def build(self, input_shape):
        self.correlation = self.add_weight(
            name="correlation", shape=tuple(input_shape[1:]), initializer="ones", trainable=False
        )
        super().build(input_shape)

    def call(self, inputs):
        correlation = tf.convert_to_tensor(self.correlation)
        return tf.ones_like(inputs) * (correlation / tf.reduce_sum(correlation))


def _softmax(logits: tf.Tensor) -> tf.Tensor:
    """Return the softmax over all cells of maps (N, h, w), spelt out.

    Of a softmax operation, or of what it knows as one, TFLite's converter makes int8 whenever
    anything else in the graph is, in steps of 1/256; and a cell weighs 1/49 on average.
    """
    powers = tf.exp(logits - tf.reduce_max(logits, axis=(1, 2), keepdims=True))
    return powers / tf.reduce_sum(powers, axis=(1, 2), keepdims=True)


@keras.utils.register_keras_serializable(package="xcos_tf")
class CellSoftmax(_Float32Layer):
    """Softmax over all cells of a map: (N, h, w, 1) to float32 (N, h, w) ≥ 0 that sums to 1."""

    def call(self, inputs):
        return _softmax(tf.squeeze(tf.cast(inputs, tf.float32), axis=-1))


@keras.utils.register_keras_serializable(package="xcos_tf")
class TiltedSoftmax(_Float32Layer):
    """Softmax over all cells, tilted towards S so that the score nears a cosine that is given.

    W = softmax(l + β·S) gives a score ⟨S, W⟩ that grows with β as fast as S varies under W. So β
    starts at 0 and grows `TILTS` times by gain · (cosine − ⟨S, W⟩) / (variance + spread), which is
    Newton's step where gain is 1 and spread 0; both are trained. |β| stays below `LARGEST_TILT`.

    Call on logits l (N, h, w, 1), S (N, h, w) in [−1, 1] and cosines (N, 1, 1) in [−1, 1]; returns
    float32 (N, h, w) ≥ 0 that sums to 1.
    """

    def build(self, input_shape):
        start = keras.initializers.Constant
        self.gain = self.add_weight(name="gain", shape=(), initializer=start(0.5))
        self.log_spread = self.add_weight(name="log_spread", shape=(), initializer=start(-4.0))
        super().build(input_shape)

    def call(self, inputs):
        logits, similar, cosine = inputs
        logits, gain = tf.squeeze(logits, axis=-1), tf.convert_to_tensor(self.gain)
        tilt = tf.zeros_like(cosine)
        for _ in range(TILTS):
            weight = _softmax(logits + tilt * similar)
            score = tf.reduce_sum(weight * similar, axis=(1, 2), keepdims=True)
            squares = weight * tf.square(similar - score)
            variance = tf.reduce_sum(squares, axis=(1, 2), keepdims=True)
            tilt += gain * (cosine - score) / (variance + tf.exp(self.log_spread))
            tilt = LARGEST_TILT * tf.tanh(tilt / LARGEST_TILT)
        return _softmax(logits + tilt * similar)


def learned_attention(grid_shape: tuple[int, int, int], symmetric: bool = True) -> keras.Model:
    """Return L: a small CNN from both grid features to the weights of their cells (Eq. 8 and 9).

    A 3×3 convolution to 16 channels is applied to each grid with shared weights, the two results
    are joined, and two more 3×3 convolutions come down to one channel; a softmax over the cells
    makes the map. Batch normalisation and a one-parameter PReLU follow each convolution, as in
    the authors' code.

    Args:
        grid_shape: (h, w, c) of a grid feature.
        symmetric: whether the map is made the same for (A, B) and (B, A), by averaging the CNN's
            answer for both orders before the softmax. The authors' model is not.

    Returns:
        A functional model from [grid_a, grid_b], each (N, h, w, c), to an attention map
        float32 (N, h, w), ≥ 0, that sums to 1.
    """

    def block(channels, prefix):
        return [
            keras.layers.Conv2D(channels, 3, padding="same", name=f"{prefix}_conv"),
            batch_norm(f"{prefix}_bn"),
            prelu(f"{prefix}_prelu", shared_axes=[1, 2, 3]),
        ]

    def apply(layers, x):
        for layer in layers:
            x = layer(x)
        return x

    grids = [keras.Input(grid_shape, name=f"grid_{x}") for x in "ab"]
    embed, weigh = block(16, "embed"), block(16, "fuse") + block(1, "weight")
    a, b = (apply(embed, grid) for grid in grids)
    logits = apply(weigh, keras.layers.Concatenate(name="join")([a, b]))
    if symmetric:
        swapped = apply(weigh, keras.layers.Concatenate(name="join_swapped")([b, a]))
        logits = keras.layers.Average(name="average")([logits, swapped])
    return keras.Model(grids, CellSoftmax(name="softmax")(logits), name="learned_attention")


def attention_with_context(grid_shape: tuple[int, int, int], context: int) -> keras.Model:
    """Return L as a CNN that also sees how alike the two faces are as wholes.

    A convolution as large as the grid makes one embedding of each face. The products of the two,
    their cosine, and S stand beside what a 3×3 convolution makes of the cells. Two more 3×3
    convolutions come down to one channel, and a `TiltedSoftmax` over the cells makes the map, so
    that the score nears that cosine. It is the same for (A, B) and (B, A).

    Args:
        grid_shape: (h, w, c) of a grid feature.
        context: length of these embeddings.

    Returns:
        A model as by `learned_attention`, which takes S float32 (N, h, w) after the two grids.
    """
    height, width, _ = grid_shape
    similarity_map = keras.Input((height, width), name="similarity_map")
    grids = [keras.Input(grid_shape, name=f"grid_{x}") for x in "ab"]

    def conv(channels, name, size=3, **options):
        return keras.layers.Conv2D(channels, size, padding="same", name=name, **options)

    def channel(map_, name):
        return keras.layers.Reshape((*map_.shape[1:], 1), name=name)(map_)

    def everywhere(x, name):
        return keras.layers.UpSampling2D((height, width), name=name)(x)

    embed, embed_prelu = conv(16, "embed_conv"), prelu("embed_prelu")
    cells = [embed_prelu(embed(grid)) for grid in grids]
    whole = keras.layers.Conv2D(context, (height, width), name="context_conv")
    unit = keras.layers.UnitNormalization(name="context_unit")
    wholes = [unit(whole(grid)) for grid in grids]
    cosine = PatchedCosine(name="context_cosine")(wholes)
    # Products of two embeddings of unit length are small, so their weights start large.
    start = keras.initializers.RandomNormal(stddev=1.0)
    alike = keras.layers.Multiply(name="context_product")(wholes)
    alike = conv(16, "context_mix", 1, kernel_initializer=start)(alike)
    cosines = [
        channel(similarity_map, "cell_cosine_channel"),
        everywhere(channel(cosine, "context_cosine_channel"), "context_cosine_everywhere"),
    ]
    seen = [
        keras.layers.Add(name="cells_sum")(cells),
        keras.layers.Multiply(name="cells_product")(cells),
        everywhere(alike, "context_everywhere"),
        *(keras.layers.Rescaling(4.0, name=f"scaled_{i}")(x) for i, x in enumerate(cosines)),
    ]
    x = keras.layers.Concatenate(name="join")(seen)
    x = prelu("fuse_prelu")(conv(32, "fuse_conv")(x))
    start = keras.initializers.RandomNormal(stddev=0.02)  # so that W starts nearly uniform
    logits = conv(1, "weight_conv", kernel_initializer=start)(x)
    attention_map = TiltedSoftmax(name="tilted_softmax")([logits, similarity_map, cosine])
    return keras.Model([*grids, similarity_map], attention_map, name="learned_attention")


def comparison(
    grid_shape: tuple[int, int, int],
    attention: str = "learned",
    symmetric: bool = True,
    context: int = 0,
) -> keras.Model:
    """Return the model that compares two grid features (Eq. 2).

    Args:
        grid_shape: (h, w, c) of a grid feature; (7, 7, 32) in the paper.
        attention: "patched" (U), "correlated" (P) or "learned" (L), after which it is named.
        symmetric: see `learned_attention`.
        context: that of `attention_with_context`; 0 for the paper's `learned_attention`.

    Returns:
        A functional model from [grid_a, grid_b], each float32 (N, h, w, c), to a dictionary of
        float32 outputs: `xcos` (N,), in [−1, 1] for non-negative attention; `similarity_map`
        S (N, h, w), in [−1, 1]; `attention_map` W (N, h, w), which sums to 1. xcos = Σ S·W.

    Raises:
        ValueError: `attention` is not one of the three, or has both a context and an order.
    """
    if context and not symmetric:
        raise ValueError(
            "Expected `symmetric` with a `context`, which has no order of the faces. Received: "
            f"symmetric={symmetric}, context={context}"
        )
    if attention not in ATTENTIONS:
        raise ValueError(f"Expected `attention` to be one of {ATTENTIONS}. Received: {attention!r}")
    grids = [keras.Input(grid_shape, name=f"grid_{x}") for x in "ab"]
    similarity_map = PatchedCosine(name="similarity_map")(grids)
    if attention == "patched":
        attention_map = PatchedAttention(name="patched_attention")(similarity_map)
    elif attention == "correlated":
        attention_map = CorrelatedAttention(name="correlated_attention")(similarity_map)
    elif context:
        attention_map = attention_with_context(grid_shape, context)([*grids, similarity_map])
    else:
        attention_map = learned_attention(grid_shape, symmetric)(grids)
    score = FrobeniusProduct(name="xcos")([similarity_map, attention_map])
    outputs = {"xcos": score, "similarity_map": similarity_map, "attention_map": attention_map}
    return keras.Model(grids, outputs, name=attention)


def plain_comparison(dimension: int) -> keras.Model:
    """Return the model that compares two embeddings by their cosine, as a baseline does.

    Returns:
        A functional model from [embedding_a, embedding_b], each float32 (N, dimension), to a
        dictionary with `xcos`, float32 (N,), in [−1, 1]: an embedding is a grid of one cell.
    """
    embeddings = [keras.Input((dimension,), name=f"embedding_{x}") for x in "ab"]
    cells = [keras.layers.Reshape((1, 1, dimension))(x) for x in embeddings]
    cosine = keras.layers.Reshape(())(PatchedCosine(name="similarity_map")(cells))
    return keras.Model(embeddings, {"xcos": cosine}, name=PLAIN_COSINE)
