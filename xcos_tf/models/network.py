"""Which parts make a whole: a backbone and an embedding head, or a grid head and attentions.

The latter is the plug-in that the paper promises: any backbone becomes explainable.
"""

import os
from collections.abc import Sequence
from pathlib import Path

from xcos_tf.environment import keras
from xcos_tf.errors import XcosError
from xcos_tf.models.comparison import ATTENTIONS, PLAIN_COSINE, comparison, plain_comparison
from xcos_tf.models.heads import grid_head


class _Network:
    """What both networks have in common: they come from presets and go into them."""

    @property
    def backbone(self) -> keras.Model:
        return self.features.layers[1]

    @property
    def head(self) -> keras.Model:
        return self.features.layers[2]

    @classmethod
    def from_preset(cls, name_or_folder: str | os.PathLike, **options):
        """Return the network of a bundled preset or of a preset folder, with its weights.

        Args:
            **options: `attention` of an xCos network; see `XCos`.

        Raises:
            XcosError: as `load_preset` does, or the preset's network is of the other class.
        """
        from xcos_tf.models.presets import load_preset

        network = load_preset(name_or_folder, **options).network
        if not isinstance(network, cls):
            right = type(network).__name__
            raise XcosError(f"the preset {str(name_or_folder)!r} is of {right}; load it by that")
        return network

    def save_to_preset(self, folder: str | os.PathLike, name: str | None = None, **facts) -> None:
        """Write a preset folder, which `from_preset` and `Verifier.from_preset` read.

        Args:
            folder: where to write; a preset that is there is replaced.
            name: of the preset; the folder's by default.
            **facts: for its configuration, such as `thresholds`; see `xcos_tf.models.presets`.

        Raises:
            XcosError: the folder cannot be written, or holds other files.
        """
        from xcos_tf.models.presets import check_writable, save_preset

        check_writable(folder)
        name = name or Path(folder).absolute().name
        save_preset(folder, {"name": name, "thresholds": {}, **facts}, self)

    @classmethod
    def from_config(cls, config, custom_objects=None):
        # A functional model's own method would return a plain `keras.Model`.
        parts = {
            name: keras.layers.deserialize(value, custom_objects=custom_objects)
            if name in ("backbone", "head")
            else value
            for name, value in config.items()
        }
        return cls(**parts)


@keras.utils.register_keras_serializable(package="xcos_tf")
class FaceEmbedder(_Network, keras.Model):
    """A recogniser with an FC embedding: the baseline, and the teacher.

    A functional model from "image", float32 (N, H, W, 3) in [−1, 1], to an embedding
    float32 (N, dimension), not normalised.

    Attributes:
        backbone, head: the parts of `features`.
        features: functional model from "image" to the embedding, by which faces are compared.
        comparisons: {"cosine": model from two embeddings to `xcos`}; see `plain_comparison`.
        attention: "cosine".
        explains: False.
    """

    attention = PLAIN_COSINE
    explains = False

    def __init__(self, backbone: keras.Model, head: keras.Model, name: str = "embedding"):
        """Join a functional backbone and an embedding head that fits its feature map."""
        backbone, head = _renamed(backbone, "backbone"), _renamed(head, "embedding_head")
        features = _after_each_other(backbone, head, "features")
        image = keras.Input(backbone.input_shape[1:], name="image")
        super().__init__(inputs=image, outputs=features(image), name=name)
        self.features = features
        self.comparisons = {PLAIN_COSINE: plain_comparison(head.output_shape[-1])}

    @property
    def parts(self) -> list[keras.Model]:
        """What holds the weights; its names begin the paths of a weights file."""
        return [self.backbone, self.head]

    def get_config(self):
        return {
            "backbone": keras.layers.serialize(self.backbone),
            "head": keras.layers.serialize(self.head),
            "name": self.name,
        }


@keras.utils.register_keras_serializable(package="xcos_tf")
class XCos(_Network, keras.Model):
    """A face verifier that explains its score.

    A functional model from [image_a, image_b], each float32 (N, H, W, 3) in [−1, 1] or as the
    backbone takes them, to a dictionary of float32 outputs: `xcos` (N,), in [−1, 1];
    `similarity_map` S (N, h, w), in [−1, 1]; `attention_map` W (N, h, w), which sums to 1.
    xcos = Σ S·W (Eq. 2).

    It owns the weights of all its attentions; its outputs are of one of them.

    Attributes:
        backbone, head: the parts of `features`.
        features: functional model from "image" to a grid feature float32 (N, h, w, c).
        comparisons: {attention name: model from two grid features to the three outputs}; see
            `comparison`.
        attention: whose outputs these are.
        explains: True.
    """

    explains = True

    def __init__(
        self,
        backbone: keras.Model,
        channels: int = 32,
        cell_affine: bool = False,
        batch_norm: bool = True,
        attentions: Sequence[str] = ATTENTIONS,
        symmetric: bool = True,
        context: int = 0,
        attention: str | None = None,
        name: str = "xcos",
    ):
        """Join a backbone, a grid head and one comparison for each attention.

        Args:
            backbone: functional model from an image batch to a feature map (N, h, w, c) of fixed
                h and w.
            attentions: which comparisons to build: "patched" (U), "correlated" (P), "learned" (L).
            symmetric, context: of the learned attention; see `comparison`.
            attention: whose outputs the model gives; the last of `attentions` by default.

        Raises:
            ValueError: the backbone's output is not one feature map of known size, or there is no
                such attention.
        """
        feature_shape = getattr(backbone, "output_shape", ())[1:]
        if len(feature_shape) != 3 or None in feature_shape:
            raise ValueError(
                "Expected `backbone` to have one output of shape (N, h, w, c) with fixed h, w and "
                f"c. Received: output_shape={getattr(backbone, 'output_shape', None)}"
            )
        attentions = tuple(attentions)
        attention = attention or attentions[-1]
        if attention not in attentions:
            raise ValueError(
                f"Expected `attention` to be one of {attentions}. Received: {attention!r}"
            )
        backbone = _renamed(backbone, "backbone")
        head = grid_head(feature_shape, channels, cell_affine, batch_norm)
        features = _after_each_other(backbone, head, "grid")
        comparisons = {
            one: comparison((*feature_shape[:2], channels), one, symmetric, context)
            for one in attentions
        }
        images = [keras.Input(backbone.input_shape[1:], name=f"image_{x}") for x in "ab"]
        outputs = comparisons[attention]([features(image) for image in images])
        # Keras names an output after its last layer.
        outputs = {
            key: keras.layers.Activation("linear", dtype="float32", name=key)(value)
            for key, value in outputs.items()
        }
        super().__init__(inputs=images, outputs=outputs, name=name)
        self.features, self.comparisons = features, comparisons
        self.attention = attention
        self._options = {
            "channels": channels,
            "cell_affine": cell_affine,
            "batch_norm": batch_norm,
            "attentions": list(attentions),
            "symmetric": symmetric,
            **({"context": context} if context else {}),
        }

    @property
    def parts(self) -> list[keras.Model]:
        """What holds the weights; its names begin the paths of a weights file."""
        return [self.features, *self.comparisons.values()]

    @property
    def options(self) -> dict:
        """The arguments that the weights depend on, but for the backbone."""
        return dict(self._options)

    def get_config(self):
        return {
            "backbone": keras.layers.serialize(self.backbone),
            **self.options,
            "attention": self.attention,
            "name": self.name,
        }


def make_explainable(
    backbone: keras.Model,
    attention: str = "learned",
    channels: int = 32,
    feature_layer: str | None = None,
) -> XCos:
    """Return an xCos verifier on top of any Keras backbone.

    The backbone's weights are shared, not copied; the 1×1 grid head and the attention are new and
    need training (`xcos_tf.training`).

    Args:
        backbone: a functional model from one image batch to a feature map (N, h, w, c) of any
            fixed grid size.
        attention: "patched" (U), "correlated" (P) or "learned" (L).
        feature_layer: name of the backbone's layer whose output is the feature map, for a model
            that goes on after it (pooling, classifier); by default the model's output.

    Returns:
        A model with this one attention.

    Raises:
        ValueError: there is no such layer, or its output is not a feature map of fixed size.
    """
    if feature_layer is not None:
        backbone = keras.Model(backbone.input, backbone.get_layer(feature_layer).output)
    return XCos(backbone, channels, attentions=(attention,))


def _after_each_other(backbone: keras.Model, head: keras.Model, name: str) -> keras.Model:
    image = keras.Input(backbone.input_shape[1:], name="image")
    return keras.Model(image, head(backbone(image)), name=name)


def _renamed(model: keras.Model, name: str) -> keras.Model:
    """Return a functional model of this name, with the same layers."""
    if model.name == name:
        return model
    return keras.Model(model.input, model.output, name=name)
