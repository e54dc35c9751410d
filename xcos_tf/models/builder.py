"""From the `model` section of a preset's configuration to a network with fresh weights."""

from tensorflow import keras

from xcos_tf.models.heads import depthwise_head, fc_head
from xcos_tf.models.ir import ir_backbone
from xcos_tf.models.mobilefacenet import mobilefacenet
from xcos_tf.models.network import (
    EmbeddingNetwork,
    XCosNetwork,
    embedding_network,
    xcos_network,
)

BACKBONES = {"mobilefacenet": mobilefacenet, "ir": ir_backbone}
EMBEDDING_HEADS = {"depthwise": depthwise_head, "fc": fc_head}


def _pick(table: dict, section: dict, what: str):
    options = dict(section)
    kind = options.pop("kind", None)
    if kind not in table:
        raise ValueError(
            f"Expected the {what}'s `kind` to be one of {tuple(table)}. Received: {kind!r}"
        )
    return table[kind], options


def build_backbone(section: dict) -> keras.Model:
    """Build a backbone from {"kind": "mobilefacenet" or "ir", and its function's arguments}."""
    builder, options = _pick(BACKBONES, section, "backbone")
    return builder(**options)


def build_network(model: dict) -> EmbeddingNetwork | XCosNetwork:
    """Build a network from a preset's `model` section.

    Args:
        model: {"backbone": {...}} and either "embedding_head": {"kind": "depthwise" or "fc", ...}
            or "xcos": {the arguments of `xcos_network`}.

    Raises:
        ValueError or TypeError: an unknown kind, or an argument that its function does not take.
    """
    backbone = build_backbone(model["backbone"])
    if "xcos" in model:
        return xcos_network(backbone, **model["xcos"])
    head, options = _pick(EMBEDDING_HEADS, model["embedding_head"], "embedding head")
    return embedding_network(backbone, head(backbone.output_shape[1:], **options))
