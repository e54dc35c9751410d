"""From two grid features to the explained score."""

from xcos_tf.environment import keras
from xcos_tf.models.attention import (
    ATTENTIONS,
    CorrelatedAttention,
    PatchedAttention,
    learned_attention,
)
from xcos_tf.models.similarity import FrobeniusProduct, PatchedCosine

PLAIN_COSINE = "cosine"


def comparison(
    grid_shape: tuple[int, int, int],
    attention: str = "learned",
    symmetric: bool = True,
    name: str | None = None,
) -> keras.Model:
    """Return the model that compares two grid features (Eq. 2).

    Args:
        grid_shape: (h, w, c) of a grid feature; (7, 7, 32) in the paper.
        attention: "patched" (U), "correlated" (P) or "learned" (L).
        symmetric: passed to `learned_attention`.
        name: name of the model; the attention's by default.

    Returns:
        A functional model from [grid_a, grid_b], each float32 (N, h, w, c), to a dictionary of
        float32 outputs: `xcos` (N,), in [−1, 1] for non-negative attention; `similarity_map`
        S (N, h, w), in [−1, 1]; `attention_map` W (N, h, w), which sums to 1. xcos = Σ S·W.

    Raises:
        ValueError: `attention` is not one of the three.
    """
    if attention not in ATTENTIONS:
        raise ValueError(f"Expected `attention` to be one of {ATTENTIONS}. Received: {attention!r}")
    grid_a = keras.Input(grid_shape, name="grid_a")
    grid_b = keras.Input(grid_shape, name="grid_b")
    similarity_map = PatchedCosine(name="similarity_map")([grid_a, grid_b])
    if attention == "patched":
        attention_map = PatchedAttention(name="patched_attention")(similarity_map)
    elif attention == "correlated":
        attention_map = CorrelatedAttention(name="correlated_attention")(similarity_map)
    else:
        attention_map = learned_attention(grid_shape, symmetric)([grid_a, grid_b])
    score = FrobeniusProduct(name="xcos")([similarity_map, attention_map])
    outputs = {"xcos": score, "similarity_map": similarity_map, "attention_map": attention_map}
    return keras.Model([grid_a, grid_b], outputs, name=name or attention)


def plain_comparison(dimension: int) -> keras.Model:
    """Return the model that compares two embeddings by their cosine, as a baseline does.

    Args:
        dimension: of an embedding.

    Returns:
        A functional model from [embedding_a, embedding_b], each float32 (N, dimension), to a
        dictionary with `xcos`, float32 (N,), in [−1, 1]: an embedding is a grid of one cell.
    """
    embeddings = [keras.Input((dimension,), name=f"embedding_{x}") for x in "ab"]
    cells = [keras.layers.Reshape((1, 1, dimension))(x) for x in embeddings]
    cosine = keras.layers.Reshape(())(PatchedCosine(name="similarity_map")(cells))
    return keras.Model(embeddings, {"xcos": cosine}, name=PLAIN_COSINE)
