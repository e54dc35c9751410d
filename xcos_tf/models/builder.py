"""From the `model` section of a preset's configuration to a network with fresh weights."""

from types import MappingProxyType

from xcos_tf.environment import keras
from xcos_tf.models.heads import depthwise_head, fc_head
from xcos_tf.models.ir import ir_backbone
from xcos_tf.models.mobilefacenet import mobilefacenet
from xcos_tf.models.network import FaceEmbedder, XCos

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


def build_network(model: dict, **options) -> FaceEmbedder | XCos:
    """Build a network from a preset's `model` section.

    Args:
        model: {"backbone": {...}} and either "embedding_head": {"kind": "depthwise" or "fc", ...}
            or "xcos": {the arguments of `XCos`}.
        **options: further arguments of `XCos`.

    Raises:
        ValueError or TypeError: an unknown kind, or an argument that its function does not take.
    """
    backbone = build_backbone(model["backbone"])
    if "xcos" in model:
        network = XCos(backbone, **model["xcos"], **options)
    else:
        head, arguments = _pick(EMBEDDING_HEADS, model["embedding_head"], "embedding head")
        network = FaceEmbedder(backbone, head(backbone.output_shape[1:], **arguments), **options)
    network.described = MappingProxyType(model)  # Keras would take a dictionary apart
    return network


def describe(network: FaceEmbedder | XCos) -> dict:
    """Return the `model` section that `build_network` makes such a network from."""
    if described := getattr(network, "described", None):
        return dict(described)
    section = {"backbone": _as_keras(network.backbone)}
    if network.explains:
        return {**section, "xcos": network.options}
    return {**section, "embedding_head": _as_keras(network.head)}


def _as_keras(model: keras.Model) -> dict:
    return {"kind": "keras", "config": keras.layers.serialize(model)}
