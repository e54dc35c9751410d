"""MobileFaceNet to its last feature map (Chen et al., CCBR 2018).

The layout is that of the published TensorFlow weights (sirius-ai/MobileFaceNet_TF), so padding is
TensorFlow's SAME: at stride 2 it is asymmetric, unlike PyTorch's.
"""

from xcos_tf.environment import keras
from xcos_tf.models import normalisation

# (expanded channels, output channels, stride) of each inverted bottleneck; one of stride 1 is
# residual.
BLOCKS = (
    ((128, 64, 2),)
    + ((128, 64, 1),) * 4
    + ((256, 128, 2),)
    + ((256, 128, 1),) * 6
    + ((512, 128, 2),)
    + ((256, 128, 1),) * 2
)


def mobilefacenet(
    input_size: int = 112, batch_norm: bool = True, name: str = "backbone"
) -> keras.Model:
    """Return MobileFaceNet without its global depthwise convolution and embedding.

    Args:
        input_size: side of the square input in pixels, a multiple of 16.
        batch_norm: whether each convolution is followed by batch normalisation, as training from
            scratch needs. False is for weights whose normalisation is folded into the
            convolutions' biases, as the published inference weights are.

    Returns:
        A functional model from "image", float32 (N, 112, 112, 3) RGB in [−1, 1], that is
        (x − 127.5) / 128, to a feature map (N, 7, 7, 512), float32, unbounded.

    Raises:
        ValueError: `input_size` is not a positive multiple of 16.
    """
    if input_size <= 0 or input_size % 16:
        raise ValueError(
            f"Expected `input_size` to be a positive multiple of 16. Received: {input_size}"
        )

    def convolve(x, layer, activate):
        x = layer(x)
        if batch_norm:
            x = normalisation.batch_norm(f"{layer.name}_bn", epsilon=1e-3, momentum=0.995)(x)
        if activate:
            x = keras.layers.PReLU(shared_axes=[1, 2], name=f"{layer.name}_prelu")(x)
        return x

    def pointwise(x, channels, layer_name, activate):
        layer = keras.layers.Conv2D(channels, 1, use_bias=not batch_norm, name=layer_name)
        return convolve(x, layer, activate)

    def depthwise(x, stride, layer_name):
        layer = keras.layers.DepthwiseConv2D(
            3, strides=stride, padding="same", use_bias=not batch_norm, name=layer_name
        )
        return convolve(x, layer, activate=True)

    image = keras.Input((input_size, input_size, 3), name="image")
    stem = keras.layers.Conv2D(
        64, 3, strides=2, padding="same", use_bias=not batch_norm, name="stem_conv"
    )
    x = convolve(image, stem, activate=True)
    x = depthwise(x, 1, "stem_depthwise")
    x = pointwise(x, 64, "stem_project", activate=False)
    for index, (expanded, channels, stride) in enumerate(BLOCKS):
        y = pointwise(x, expanded, f"block_{index}_expand", activate=True)
        y = depthwise(y, stride, f"block_{index}_depthwise")
        y = pointwise(y, channels, f"block_{index}_project", activate=False)
        x = keras.layers.Add(name=f"block_{index}_add")([x, y]) if stride == 1 else y
    x = pointwise(x, 512, "feature_conv", activate=True)
    return keras.Model(image, x, name=name)
