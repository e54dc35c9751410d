"""The plug-in that the paper promises: any backbone with a 2-D feature map becomes explainable."""

from tensorflow import keras

from xcos_tf.models.network import xcos_network


def make_explainable(
    backbone: keras.Model,
    attention: str = "learned",
    channels: int = 32,
    feature_layer: str | None = None,
) -> keras.Model:
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
        A functional model from [image_a, image_b], each as the backbone takes them, to `xcos`
        (N,), `similarity_map` (N, h, w) and `attention_map` (N, h, w), all float32.

    Raises:
        ValueError: there is no such layer, or its output is not a feature map of fixed size.
    """
    if feature_layer is not None:
        backbone = keras.Model(
            backbone.input, backbone.get_layer(feature_layer).output, name=backbone.name
        )
    network = xcos_network(backbone, channels, attentions=(attention,))
    image_a = keras.Input(backbone.input_shape[1:], name="image_a")
    image_b = keras.Input(backbone.input_shape[1:], name="image_b")
    outputs = network.comparisons[attention]([network.grid(image_a), network.grid(image_b)])
    return keras.Model([image_a, image_b], outputs, name="xcos_verifier")
