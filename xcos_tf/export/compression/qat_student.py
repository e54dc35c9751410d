"""Quantisation-aware training: the network computes what its int8 form will compute.

It takes Keras 2, so a process started with TF_USE_LEGACY_KERAS=1; see `request`.
"""

from collections.abc import Sequence

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tensorflow_model_optimization.quantization import keras as quantization

from xcos_tf.export.compression.operations import IMAGE, IMAGE_RANGE, learned_rounding, range_factor
from xcos_tf.export.compression.students import LayerOperations, Rest, Student, Weights

_quantizers = quantization.quantizers


class _DepthwiseQuantizer(_quantizers.LastValueQuantizer):
    """Each channel of a depthwise kernel (h, w, channels, 1) has a scale of its own."""

    def build(self, tensor_shape, name, layer):
        return super().build(tensor_shape[2:3], name, layer)

    def __call__(self, inputs, training, weights, **kwargs):
        flat = tf.reshape(inputs, (-1, inputs.shape[2]))  # the last axis is the one with scales
        return tf.reshape(super().__call__(flat, training, weights, **kwargs), inputs.shape)


class _LearnedRange(_quantizers.Quantizer):
    """A result's limits are learned together with the weights; see `learned_rounding`."""

    def build(self, tensor_shape, name, layer):
        def add(kind, value, trainable):
            return layer.add_weight(
                name=f"{name}_{kind}",
                initializer=keras.initializers.Constant(value),
                trainable=trainable,
            )

        return {
            "min_var": add("min", -6.0, False),
            "max_var": add("max", 6.0, False),
            "growth": add("growth", 0.0, True),
        }

    def __call__(self, inputs, training, weights, **kwargs):
        return learned_rounding(inputs, weights["growth"], weights["min_var"], weights["max_var"])

    def get_config(self):
        return {}


class _Config(quantization.QuantizeConfig):
    """One weight and the output of a layer are rounded; biases stay as they are."""

    def __init__(self, weight: str | None, quantizer):
        self._weight, self._quantizer = weight, quantizer

    def get_weights_and_quantizers(self, layer):
        return [(getattr(layer, self._weight), self._quantizer)] if self._weight else []

    def set_quantize_weights(self, layer, quantize_weights):
        if self._weight:
            setattr(layer, self._weight, quantize_weights[0])

    def get_activations_and_quantizers(self, layer):
        return []

    def set_quantize_activations(self, layer, quantize_activations):
        pass

    def get_output_quantizers(self, layer):
        return [_LearnedRange()]

    def get_config(self):
        return {"weight": self._weight, "quantizer": self._quantizer}


def _quantised(layer):
    """Wrap a layer that has a weight to round, or only a result."""
    symmetric = {"num_bits": 8, "symmetric": True, "narrow_range": True}
    if isinstance(layer, keras.layers.DepthwiseConv2D):
        weight, quantizer = "depthwise_kernel", _DepthwiseQuantizer(per_axis=True, **symmetric)
    elif isinstance(layer, keras.layers.Conv2D):
        weight, quantizer = "kernel", _quantizers.LastValueQuantizer(per_axis=True, **symmetric)
    else:
        weight = next((x for x in ("rest", "scale") if hasattr(layer, x)), None)
        quantizer = _quantizers.LastValueQuantizer(per_axis=False, **symmetric)
    return quantization.QuantizeWrapperV2(layer, _Config(weight, quantizer))


class _QuantisedLayers(LayerOperations):
    """The layers of `Int8Operations`."""

    def __init__(self, weights):
        super().__init__(weights, _quantised)

    def conv(self, name, x, stride=1):
        if name == "stem_conv":
            x = tf.quantization.fake_quant_with_min_max_args(x, *IMAGE_RANGE)
        return super().conv(name, x, stride)

    def prelu(self, name, x):
        rest = f"{name}_rest"
        self._start = {**self._start, f"{rest}/rest": self._start[f"{name}/rest"]}
        y = self.apply(Rest(name=rest), x)
        self.variables[f"{name}/rest"] = self.variables.pop(f"{rest}/rest")
        return self.apply(keras.layers.Add(name=name), [x, y])

    def cell_restore(self, name, x):
        self._wrap = lambda layer: layer  # it stays in float32
        return super().cell_restore(name, x)


class QatStudent(Student):
    """Learns under the rounding of its weights and results to int8."""

    def __init__(self, weights: Weights, size: int, ranges: Weights, blocks: Sequence):
        """Take weights with rests, see `with_rests`, and {result: (min, max)} to start from."""
        super().__init__(_QuantisedLayers(weights), size, blocks)
        self._limits = {}
        for name, wrapper in self.ops.layers.items():
            if name == "cell_restore":
                continue
            limits = wrapper._output_quantizer_vars  # there is no public way to them
            self._limits[name] = limits
            for limit, value in zip(("min_var", "max_var"), ranges[name], strict=True):
                limits[limit].assign(value)

    def arrays(self):
        ranges = {
            f"{name}/range": float(range_factor(limits["growth"]))
            * np.array([limits["min_var"], limits["max_var"]], np.float32)
            for name, limits in self._limits.items()
        }
        return {**super().arrays(), **ranges, f"{IMAGE}/range": np.array(IMAGE_RANGE)}
