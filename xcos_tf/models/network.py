"""Which parts make a whole: a backbone and an embedding head, or a grid head and attentions."""

from collections.abc import Sequence
from dataclasses import dataclass

from tensorflow import keras

from xcos_tf.models.attention import ATTENTIONS
from xcos_tf.models.comparison import comparison
from xcos_tf.models.heads import grid_head


@dataclass(frozen=True)
class EmbeddingNetwork:
    """A recogniser with an FC embedding: the baseline, and the teacher.

    Attributes:
        whole: functional model from "image", float32 (N, H, W, 3) in [−1, 1], to an embedding
            float32 (N, dimension), not normalised.
    """

    whole: keras.Model


@dataclass(frozen=True)
class XCosNetwork:
    """A recogniser that explains its score.

    Attributes:
        grid: functional model from "image", float32 (N, H, W, 3) in [−1, 1], to a grid feature
            float32 (N, h, w, c).
        comparisons: {attention name: model from two grid features to `xcos`, `similarity_map`
            and `attention_map`}; see `comparison`.
        whole: functional model from two images to {attention name: xcos (N,)}; it holds every
            weight of the network.
    """

    grid: keras.Model
    comparisons: dict[str, keras.Model]
    whole: keras.Model


def embedding_network(backbone: keras.Model, head: keras.Model) -> EmbeddingNetwork:
    """Join a backbone and an embedding head that fits its feature map."""
    image = keras.Input(backbone.input_shape[1:], name="image")
    return EmbeddingNetwork(keras.Model(image, head(backbone(image)), name="embedding"))


def xcos_network(
    backbone: keras.Model,
    channels: int = 32,
    cell_affine: bool = False,
    batch_norm: bool = True,
    attentions: Sequence[str] = ATTENTIONS,
    symmetric: bool = True,
) -> XCosNetwork:
    """Join a backbone, a grid head and one comparison for each attention.

    Args:
        backbone: model from an image batch to a feature map (N, h, w, c) of fixed h and w.
        channels, cell_affine, batch_norm: passed to `grid_head`.
        attentions: which comparisons to build.
        symmetric: passed to `comparison`.

    Raises:
        ValueError: the backbone's output is not one feature map of known size.
    """
    feature_shape = backbone.output_shape[1:] if hasattr(backbone, "output_shape") else ()
    if len(feature_shape) != 3 or None in feature_shape:
        raise ValueError(
            "Expected `backbone` to have one output of shape (N, h, w, c) with fixed h, w and c. "
            f"Received: output_shape={getattr(backbone, 'output_shape', None)}"
        )
    head = grid_head(feature_shape, channels, cell_affine, batch_norm)
    image = keras.Input(backbone.input_shape[1:], name="image")
    grid = keras.Model(image, head(backbone(image)), name="grid")
    comparisons = {
        attention: comparison((*feature_shape[:2], channels), attention, symmetric)
        for attention in attentions
    }
    image_a = keras.Input(backbone.input_shape[1:], name="image_a")
    image_b = keras.Input(backbone.input_shape[1:], name="image_b")
    grids = [grid(image_a), grid(image_b)]
    scores = {attention: model(grids)["xcos"] for attention, model in comparisons.items()}
    return XCosNetwork(grid, comparisons, keras.Model([image_a, image_b], scores, name="whole"))
