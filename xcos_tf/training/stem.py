"""A network that is cut at a layer: what comes before stays as it is."""

from dataclasses import dataclass

import numpy as np
from tensorflow import keras

from xcos_tf.models.network import FaceEmbedder, XCos
from xcos_tf.models.weights import named_weights


@dataclass(frozen=True)
class Cut:
    """Models that share the weights of a network, and of its teacher.

    Attributes:
        stem: from an image to what `features` and `teacher` take; None where they take images.
        tail: what is not frozen of the backbone.
        features: to the network's grid feature or embedding.
        teacher: to the teacher's embedding; None without one.
    """

    stem: keras.Model | None
    tail: keras.Model
    features: keras.Model
    teacher: keras.Model | None


def cut_at(
    name: str | None,
    network: XCos | FaceEmbedder,
    teacher: FaceEmbedder | None = None,
    shared: bool | None = None,
) -> Cut:
    """Freeze a network's backbone up to a layer, and the teacher; nothing if no layer is named.

    The teacher goes on from the same stem if its backbone starts with the same weights, which is
    `shared` if that is known; else the network is left in one piece, and both take images.

    Raises:
        ValueError: the backbone has no such layer, or nothing comes after it, or something goes
            around it.
    """
    backbone = network.backbone if name else getattr(network, "backbone", None)
    if not name:
        return Cut(None, backbone, network.features, teacher)
    names = [layer.name for layer in backbone.layers]
    if name not in names:
        raise ValueError(
            f"Expected `frozen_until` to name a layer of the backbone, whose last are "
            f"{', '.join(names[-8:])}. Received: frozen_until={name!r}"
        )
    cut = backbone.get_layer(name).output
    try:
        tail = keras.Model(cut, backbone.output, name="backbone")
    except ValueError:  # the graph is disconnected
        tail = None
    if tail is None or len(tail.layers) < 2:  # nothing but its input
        raise ValueError(
            "Expected `frozen_until` to name a layer before the backbone's last, and one that "
            f"nothing goes around. Received: frozen_until={name!r}"
        )
    stem = keras.Model(backbone.input, cut, name="stem")
    stem.trainable = False
    if teacher is None:
        return Cut(stem, tail, _after(network, name), None)
    if not (_starts_alike(stem, teacher) if shared is None else shared):
        return Cut(None, tail, network.features, teacher)
    return Cut(stem, tail, _after(network, name), _after(teacher, name))


def _after(network: XCos | FaceEmbedder, name: str) -> keras.Model:
    """Return a network's features from a layer of the backbone on."""
    cut = network.backbone.get_layer(name).output
    tail = keras.Model(cut, network.backbone.output, name="backbone")
    start = keras.Input(cut.shape[1:], name="stem")
    return keras.Model(start, network.head(tail(start)), name=network.features.name)


def _starts_alike(stem: keras.Model, teacher: FaceEmbedder) -> bool:
    """Return whether a teacher's backbone starts with the same layers, with the same weights."""
    theirs = named_weights(teacher.backbone)
    return all(
        path in theirs and np.array_equal(np.asarray(value), np.asarray(theirs[path]))
        for path, value in named_weights(stem).items()
    )
