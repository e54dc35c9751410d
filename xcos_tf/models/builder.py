"""From the `model` section of a preset to a network with fresh weights, and back."""

from types import MappingProxyType

from xcos_tf.environment import keras
from xcos_tf.models.any_backbone import (
    APPLICATIONS,
    STORED,
    application,
    from_function,
    nearest,
    restore,
    store,
)
from xcos_tf.models.heads import depthwise_head, fc_head
from xcos_tf.models.ir import ir_backbone
from xcos_tf.models.mobilefacenet import mobilefacenet
from xcos_tf.models.network import FaceEmbedder, XCos

BACKBONES = {"mobilefacenet": mobilefacenet, "ir": ir_backbone, STORED: restore}
EMBEDDING_HEADS = {"depthwise": depthwise_head, "fc": fc_head}


def build_backbone(section: dict, trusted: bool = False) -> keras.Model:
    """Build a backbone from its `kind` and the arguments of that.

    Args:
        section: {"kind": "mobilefacenet" or "ir", or "keras.applications.NAME", or the dotted path
            of a function that returns a Keras model, or "keras"; and the arguments}.
        trusted: whether such a function may be imported and called.

    Raises:
        ValueError or TypeError: an unknown kind, or an argument that its function does not take.
    """
    kind, options = _kind_of(section)
    owner, _, name = kind.rpartition(".")
    if owner == APPLICATIONS:
        return application(name, options)
    if owner and trusted:
        return from_function(kind, options)
    if kind not in BACKBONES:
        raise ValueError(
            f"Expected the backbone's `kind` to be one of {tuple(BACKBONES)}, a model of "
            f"{APPLICATIONS}, or in training the dotted path of a function. Received: {kind!r}"
            + nearest(kind, BACKBONES)
        )
    return BACKBONES[kind](**options)


def build_network(model: dict, trusted: bool = False, **options) -> FaceEmbedder | XCos:
    """Build a network from a preset's `model` section.

    Args:
        model: {"backbone": {...}} and either "embedding_head": {"kind": "depthwise" or "fc", ...}
            or "xcos": {the arguments of `XCos`}, of which `options` are further ones.

    Raises:
        ValueError or TypeError: an unknown kind, or an argument that its function does not take.
    """
    backbone = build_backbone(model["backbone"], trusted)
    if "xcos" in model:
        network = XCos(backbone, **model["xcos"], **options)
    else:
        head = _build_head(model["embedding_head"], backbone.output_shape[1:])
        network = FaceEmbedder(backbone, head, **options)
    network.described = MappingProxyType(model)  # Keras would take a dictionary apart
    return network


def describe(network: FaceEmbedder | XCos) -> dict:
    """Return a `model` section that `build_network` makes such a network from, wherever it is."""
    described = getattr(network, "described", {"backbone": {}})
    if described["backbone"].get("kind") in BACKBONES:
        return dict(described)
    section = {"backbone": store(network.backbone)}
    if network.explains:
        return {**section, "xcos": network.options}
    return {**section, "embedding_head": described.get("embedding_head", store(network.head))}


def _build_head(section: dict, feature_shape: tuple) -> keras.Model:
    kind, options = _kind_of(section)
    if kind == STORED:
        return restore(**options)
    if kind not in EMBEDDING_HEADS:
        raise ValueError(
            f"Expected the embedding head's `kind` to be one of {tuple(EMBEDDING_HEADS)}. "
            f"Received: {kind!r}" + nearest(kind, EMBEDDING_HEADS)
        )
    return EMBEDDING_HEADS[kind](feature_shape, **options)


def _kind_of(section: dict) -> tuple[str, dict]:
    options = dict(section)
    return str(options.pop("kind", None)), options
