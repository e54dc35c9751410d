"""A network's grid in int8, layer by layer: IR, IR-SE, and MobileFaceNet that was not folded."""

from collections import defaultdict
from collections.abc import Callable

import numpy as np
import tensorflow as tf

from xcos_tf.environment import keras
from xcos_tf.errors import XcosError
from xcos_tf.export.compression.operations import IMAGE, IMAGE_RANGE, limits_and_errors, range_of
from xcos_tf.models.heads import CellAffine
from xcos_tf.models.mobilefacenet import mobilefacenet
from xcos_tf.models.network import FaceEmbedder, XCos

_layers = keras.layers
_KINDS = (
    _layers.InputLayer,
    _layers.Conv2D,
    _layers.DepthwiseConv2D,
    _layers.BatchNormalization,
    _layers.PReLU,
    _layers.Add,
    _layers.Multiply,
    _layers.MaxPooling2D,
    _layers.ZeroPadding2D,
    _layers.GlobalAveragePooling2D,
    CellAffine,
)
_ACTIVATIONS = {"linear": None, "relu": tf.nn.relu, "sigmoid": tf.nn.sigmoid}
_SIGMOID = "/sigmoid"
_SIGMOID_RANGE = (0, 255 / 256)
"""The one that TFLite's int8 sigmoid has."""

_BATCH = 8


def layered_grid(network: XCos, images: np.ndarray) -> Callable[..., tf.Tensor]:
    """Return a network's grid with every result rounded to one of 256 values.

    Batch normalisation behind a convolution is folded into it; elsewhere it becomes a 1×1 depthwise
    convolution. Kernels are left to the converter.

    Args:
        network: of layers that `check_layers` lets pass.
        images: float32 (N, h, w, 3) in [−1, 1], on which the limits of each result are measured.

    Returns:
        A function from images to the grid feature.

    Raises:
        XcosError: the network has other layers.
    """
    seen = defaultdict(list)

    def watched(name: str, x: tf.Tensor) -> tf.Tensor:
        seen[name].append(limits_and_errors(x, (1,)))
        return x

    for start in range(0, len(images), _BATCH):
        Layers(watched).grid(network, tf.constant(images[start : start + _BATCH]))
    ranges = {name: range_of(batches, (1,)) for name, batches in seen.items()}
    ranges[IMAGE] = np.array(IMAGE_RANGE, np.float32)

    def rounded(name: str, x: tf.Tensor) -> tf.Tensor:
        low, high = _SIGMOID_RANGE if name.endswith(_SIGMOID) else ranges[name]
        return tf.quantization.fake_quant_with_min_max_args(x, float(low), float(high))

    return lambda image, training=False: Layers(rounded).grid(network, image)


def check_int8(network: FaceEmbedder | XCos) -> None:
    """Raise XcosError, which says why, if int8 cannot be made of a network."""
    if not network.explains:
        raise XcosError(
            "int8 is made of networks with a grid feature, and this preset gives an embedding; use "
            "another variant"
        )
    for layer in (*network.backbone.layers, *network.head.layers):
        plain = all(np.max(getattr(layer, x, 1)) == 1 for x in ("dilation_rate", "groups"))
        activation = getattr(getattr(layer, "activation", None), "__name__", "linear")
        if type(layer) not in _KINDS or not plain or activation not in _ACTIVATIONS:
            raise XcosError(
                "int8 is made of the layers of MobileFaceNet, IR and IR-SE, and this network has "
                f"{str(layer.name)[:50]!r}, which is none of them; use another variant"
            )


def folded_mobilefacenet(network: XCos) -> XCos | None:
    """Return the same network with batch normalisation folded, but for its last PReLU.

    So that compression's own equalising, without which MobileFaceNet's S is lost, can take it.

    Returns:
        A network that `simple_weights` takes, or None if this one is not MobileFaceNet with batch
        normalisation, there and in a head without a cell affine.
    """
    options = network.options
    if options["cell_affine"] or not options["batch_norm"]:
        return None
    folded = XCos(
        mobilefacenet(network.backbone.input_shape[1], batch_norm=False),
        options["channels"],
        cell_affine=True,
        batch_norm=False,
        attentions=("patched",),
    )
    for old, new in ((network.backbone, folded.backbone), (network.head, folded.head)):
        normalised, layers = _normalised(old), {layer.name: layer for layer in old.layers}
        for layer in new.layers:
            if isinstance(layer, (_layers.Conv2D, _layers.DepthwiseConv2D)):
                if layer.name not in normalised:
                    return None
                layer.set_weights(_folded(layers[layer.name], normalised[layer.name]))
            elif isinstance(layer, _layers.PReLU):
                layer.set_weights(_weights(layers[layer.name]))
    return folded


class Layers:
    """Computes functional models of layers with one output each."""

    def __init__(self, result: Callable[[str, tf.Tensor], tf.Tensor]):
        """Take what is called with a result and its name, and returns it, rounded or not."""
        self._result = result

    def grid(self, network: XCos, image: tf.Tensor) -> tf.Tensor:
        """Return the grid feature of images in [−1, 1]."""
        feature_map = self._run(network.backbone, self._result(IMAGE, image))
        return self._run(network.head, feature_map)

    def _run(self, model: keras.Model, x: tf.Tensor) -> tf.Tensor:
        values = {id(model.inputs[0]): x}
        normalised = _normalised(model)
        layers = [x for x in model.layers if not isinstance(x, _layers.InputLayer)]
        last = {id(x): layer for layer in layers for x in _inputs(layer)}
        for layer in layers:
            inputs = [values[id(x)] for x in _inputs(layer)]
            if layer in normalised.values():
                value = inputs[0]
            elif isinstance(layer, (_layers.Conv2D, _layers.DepthwiseConv2D)):
                value = self._convolution(layer, *inputs, normalised.get(layer.name))
            else:
                value = self._other(layer, *inputs)
            values[id(layer.output)] = value
            for x in _inputs(layer):
                if last[id(x)] is layer:  # a deep network's results take gigabytes
                    values.pop(id(x), None)
        return values[id(model.outputs[0])]

    def _convolution(self, layer, x, normalisation):
        kernel, bias = _folded(layer, normalisation)
        padding = layer.padding.upper()
        if isinstance(layer, _layers.DepthwiseConv2D):
            x = tf.nn.depthwise_conv2d(x, kernel, (1, *layer.strides, 1), padding)
        else:
            x = tf.nn.conv2d(x, kernel, layer.strides, padding)
        x = tf.nn.bias_add(x, bias)
        name = layer.activation.__name__
        if name == "sigmoid":
            return self._result(layer.name + _SIGMOID, tf.nn.sigmoid(self._result(layer.name, x)))
        return self._result(layer.name, x if name == "linear" else tf.nn.relu(x))

    def _other(self, layer, x, *more):
        if isinstance(layer, (_layers.ZeroPadding2D, _layers.MaxPooling2D)):
            return layer(x)
        if isinstance(layer, _layers.BatchNormalization):
            scale, shift = _affine(layer)
            kernel = scale.reshape(1, 1, -1, 1)
            x = tf.nn.depthwise_conv2d(x, kernel, (1, 1, 1, 1), "VALID")
            x = tf.nn.bias_add(x, shift)
        elif isinstance(layer, _layers.PReLU):
            x = self._prelu(layer, x)
        elif isinstance(layer, CellAffine):
            scale, shift = _weights(layer)
            x = self._result(f"{layer.name}/scale", x * _factor(scale)) + _factor(shift)
        elif isinstance(layer, _layers.GlobalAveragePooling2D):
            x = tf.reduce_mean(x, axis=(1, 2), keepdims=layer.keepdims)
        else:
            x = layer([x, *more])
        return self._result(layer.name, x)

    def _prelu(self, layer, x):
        """Return x + relu((a − 1)·x) of slope a ≤ 1, as XNNPACK has it; beyond, the − of that."""
        rest = _weights(layer)[0] - 1
        added = self._result(f"{layer.name}/rest", tf.nn.relu(x * _factor(-np.abs(rest))))
        if (rest > 0).any():
            signs = np.where(rest > 0, -1, 1).astype(np.float32)
            added = self._result(f"{layer.name}/signed", added * _factor(signs))
        return x + added


def _factor(weight: np.ndarray) -> tf.Tensor:
    """Return a weight that is multiplied or added number by number, rounded to 8 bits."""
    limit = max(float(np.abs(weight).max()), 1e-6)
    return tf.quantization.fake_quant_with_min_max_args(weight, -limit, limit, narrow_range=True)


def _inputs(layer) -> list:
    return layer.input if isinstance(layer.input, (list, tuple)) else [layer.input]


def _normalised(model: keras.Model) -> dict[str, _layers.BatchNormalization]:
    """Return {convolution: the normalisation that alone takes its output}."""
    takers = defaultdict(list)
    for layer in model.layers:
        if not isinstance(layer, _layers.InputLayer):
            for x in _inputs(layer):
                takers[id(x)].append(layer)
    return {
        layer.name: takers[id(layer.output)][0]
        for layer in model.layers
        if isinstance(layer, (_layers.Conv2D, _layers.DepthwiseConv2D))
        and layer.activation.__name__ == "linear"
        and [type(x) for x in takers[id(layer.output)]] == [_layers.BatchNormalization]
    }


def _affine(layer: _layers.BatchNormalization) -> tuple[np.ndarray, np.ndarray]:
    """Return the scale and shift, float32 (c,), of a trained normalisation."""
    *learned, mean, variance = _weights(layer)
    scale = (learned.pop(0) if layer.scale else 1) / np.sqrt(variance + layer.epsilon)
    shift = (learned.pop() if layer.center else 0) - mean * scale
    return scale.astype(np.float32), shift.astype(np.float32)


def _folded(
    layer, normalisation: _layers.BatchNormalization | None
) -> tuple[np.ndarray, np.ndarray]:
    """Return the kernel and bias of a convolution and what normalises its output, if anything."""
    kernel, *bias = _weights(layer)
    scale, shift = _affine(normalisation) if normalisation else (np.float32(1), np.float32(0))
    # The last axis or, of a depthwise kernel, the last two are the outputs.
    outputs = kernel.shape[2 if isinstance(layer, _layers.DepthwiseConv2D) else 3 :]
    bias = np.broadcast_to(sum(bias) * scale + shift, np.prod(outputs))
    kernel = kernel * np.broadcast_to(scale, np.prod(outputs)).reshape(outputs)
    return kernel, bias.astype(np.float32)


def _weights(layer) -> list[np.ndarray]:
    with tf.init_scope():  # outside of the graph that is being made
        return layer.get_weights()
