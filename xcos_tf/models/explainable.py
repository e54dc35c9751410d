"""The plug-in that the paper promises: any backbone with a 2-D feature map becomes explainable."""

from xcos_tf.environment import keras
from xcos_tf.models.network import XCos


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
        channels: channels of a cell of the grid feature.
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
