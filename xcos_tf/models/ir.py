"""IR and IR-SE backbones to their last feature map (Deng et al., CVPR 2019, "ArcFace").

The layout is that of the PyTorch models that the authors of xCos built on, so padding is
symmetric at stride 2, unlike TensorFlow's SAME.
"""

from xcos_tf.environment import keras
from xcos_tf.models.normalisation import batch_norm, prelu

# Channels of the four stages; the first unit of each stage has stride 2.
STAGE_CHANNELS = (64, 128, 256, 512)
STAGE_UNITS = {50: (3, 4, 14, 3), 100: (3, 13, 30, 3), 152: (3, 8, 36, 3)}
STEM_CHANNELS = 64
SE_REDUCTION = 16


def ir_units(depth: int) -> list[tuple[int, int, int]]:
    """Return (input channels, output channels, stride) of each unit of the body, in order.

    Raises:
        ValueError: `depth` is not 50, 100 or 152.
    """
    if depth not in STAGE_UNITS:
        raise ValueError(
            f"Expected `depth` to be one of {tuple(STAGE_UNITS)}. Received: depth={depth!r}"
        )
    units = []
    previous = STEM_CHANNELS
    for channels, count in zip(STAGE_CHANNELS, STAGE_UNITS[depth], strict=True):
        units.append((previous, channels, 2))
        units += [(channels, channels, 1)] * (count - 1)
        previous = channels
    return units


def ir_backbone(
    depth: int = 50, squeeze_excitation: bool = True, input_size: int = 112, name: str = "backbone"
) -> keras.Model:
    """Return IR-50/100/152 or IR-SE-50/100/152 without its embedding head.

    Layer names follow the PyTorch modules: `input_conv`, `input_bn` and `input_prelu` are
    `input_layer.0`, `.1` and `.2`; `body_3_bn1`, `_conv1`, `_prelu`, `_conv2`, `_bn2` and
    `_se_reduce`, `_se_expand` are `body.3.res_layer.0` to `.4` and `.5.fc1`, `.fc2`;
    `body_3_shortcut_conv` and `_bn` are `body.3.shortcut_layer.0` and `.1`.

    Args:
        squeeze_excitation: whether each unit ends in squeeze-and-excitation (Hu et al., CVPR
            2018) with reduction 16.
        input_size: side of the square input in pixels, a multiple of 16.

    Returns:
        A functional model from "image", float32 (N, 112, 112, 3) RGB in [−1, 1], that is
        (x − 127.5) / 128, to a feature map (N, 7, 7, 512), float32, unbounded.

    Raises:
        ValueError: `depth` is none of the three, or `input_size` is not a positive multiple of 16.
    """
    units = ir_units(depth)
    if input_size <= 0 or input_size % 16:
        raise ValueError(
            "Expected `input_size` to be a positive multiple of 16. "
            f"Received: input_size={input_size}"
        )
    image = keras.Input((input_size, input_size, 3), name="image")
    x = _conv(image, STEM_CHANNELS, 3, 1, "input_conv")
    x = prelu("input_prelu")(batch_norm("input_bn")(x))
    for index, (width, channels, stride) in enumerate(units):
        x = _unit(x, width, channels, stride, squeeze_excitation, f"body_{index}")
    return keras.Model(image, x, name=name)


def _unit(x, width, channels, stride, squeeze_excitation, prefix):
    if width == channels:
        pool = keras.layers.MaxPooling2D(1, strides=stride, name=f"{prefix}_shortcut_pool")
        shortcut = pool(x) if stride > 1 else x
    else:
        shortcut = _conv(x, channels, 1, stride, f"{prefix}_shortcut_conv")
        shortcut = batch_norm(f"{prefix}_shortcut_bn")(shortcut)
    y = batch_norm(f"{prefix}_bn1")(x)
    y = prelu(f"{prefix}_prelu")(_conv(y, channels, 3, 1, f"{prefix}_conv1"))
    y = batch_norm(f"{prefix}_bn2")(_conv(y, channels, 3, stride, f"{prefix}_conv2"))
    if squeeze_excitation:
        y = _squeeze_excite(y, channels, prefix)
    return keras.layers.Add(name=f"{prefix}_add")([y, shortcut])


def _squeeze_excite(x, channels, prefix):
    gate = keras.layers.GlobalAveragePooling2D(keepdims=True, name=f"{prefix}_se_pool")(x)
    for layer_name, filters, activation in (
        ("se_reduce", channels // SE_REDUCTION, "relu"),
        ("se_expand", channels, "sigmoid"),
    ):
        gate = keras.layers.Conv2D(
            filters, 1, use_bias=False, activation=activation, name=f"{prefix}_{layer_name}"
        )(gate)
    return keras.layers.Multiply(name=f"{prefix}_se_scale")([x, gate])


def _conv(x, filters, size, stride, layer_name):
    padding = "same"
    if stride > 1:
        # SAME would pad an even input at the bottom and right only; PyTorch pads all four sides.
        padding = "valid"
        if size > 1:
            x = keras.layers.ZeroPadding2D(size // 2, name=f"{layer_name}_pad")(x)
    return keras.layers.Conv2D(
        filters,
        size,
        strides=stride,
        padding=padding,
        use_bias=False,
        kernel_initializer="he_normal",
        name=layer_name,
    )(x)
