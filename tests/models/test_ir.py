import functools

import numpy as np
import pytest
import tensorflow as tf
from tensorflow import keras

from xcos_tf.models.ir import ir_backbone, ir_units

# Units of each stage, as the paper notes give them.
UNITS = {50: (3, 4, 14, 3), 100: (3, 13, 30, 3), 152: (3, 8, 36, 3)}


def expected_parameters(depth: int, squeeze_excitation: bool) -> int:
    """Count the weights from the paper's description, without the module's tables."""
    batch_norm = 4  # gamma, beta, mean and variance of each channel
    total = 3 * 3 * 3 * 64 + batch_norm * 64 + 64
    previous = 64
    for channels, count in zip((64, 128, 256, 512), UNITS[depth], strict=True):
        for _ in range(count):
            total += batch_norm * previous
            total += 9 * previous * channels + channels
            total += 9 * channels * channels + batch_norm * channels
            if squeeze_excitation:
                total += 2 * channels * (channels // 16)
            if previous != channels:
                total += previous * channels + batch_norm * channels
            previous = channels
    return total


@functools.cache
def small_backbone(squeeze_excitation: bool) -> keras.Model:
    """IR-50 on 16×16, built once; a test sets the weights that it looks at."""
    return ir_backbone(50, squeeze_excitation, input_size=16)


DEEP = (pytest.mark.slow, pytest.mark.both_stacks)


@pytest.mark.parametrize(
    ("depth", "squeeze_excitation"),
    [(50, False), pytest.param(100, True, marks=DEEP), pytest.param(152, False, marks=DEEP)],
)
def test_shape_and_parameter_count(depth, squeeze_excitation):
    model = ir_backbone(depth, squeeze_excitation)
    assert model.input_shape == (None, 112, 112, 3)
    assert model.output_shape == (None, 7, 7, 512)
    assert model.count_params() == expected_parameters(depth, squeeze_excitation)
    keras.backend.clear_session()


def test_output_of_a_small_input():
    model = ir_backbone(50, True, input_size=32)
    output = model(np.random.default_rng(0).normal(size=(2, 32, 32, 3)).astype(np.float32))
    assert output.shape == (2, 2, 2, 512)
    assert np.isfinite(output).all()
    assert np.std(output) > 0


def test_layers_are_those_of_a_unit():
    names = {layer.name for layer in small_backbone(True).layers}
    unit = ("bn1", "conv1", "prelu", "conv2", "bn2", "se_reduce", "se_expand")
    assert {f"body_{i}_{part}" for i in range(24) for part in unit} <= names
    assert {"input_conv", "input_bn", "input_prelu"} <= names
    # Only units that change the width have weights in their shortcut.
    assert {n for n in names if n.endswith("shortcut_conv")} == {
        f"body_{i}_shortcut_conv" for i in (3, 7, 21)
    }
    assert [i for i, unit in enumerate(ir_units(50)) if unit[2] == 2] == [0, 3, 7, 21]


def convolve_as_pytorch(x: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """3×3 convolution of (H, W, c) with one ring of zeros on all four sides."""
    padded = np.pad(x, ((1, 1), (1, 1), (0, 0)))
    rows, columns = ((n - 1) // stride + 1 for n in x.shape[:2])
    output = np.zeros((rows, columns, kernel.shape[-1]))
    for i in range(rows):
        for j in range(columns):
            patch = padded[i * stride : i * stride + 3, j * stride : j * stride + 3]
            output[i, j] = np.tensordot(patch, kernel, 3)
    return output


def normalised(x, layer):
    """Batch normalisation at inference by its definition."""
    gamma, beta, mean, variance = (np.asarray(w, np.float64) for w in layer.get_weights())
    return (x - mean) / np.sqrt(variance + 1e-5) * gamma + beta


def test_the_stem_is_convolution_normalisation_and_prelu():
    rng = np.random.default_rng(5)
    backbone = small_backbone(False)
    stem = keras.Model(backbone.input, backbone.get_layer("input_prelu").output)
    weights = [rng.uniform(0.1, 1.5, weight.shape) for weight in stem.get_weights()]
    weights[0] -= 0.8
    stem.set_weights(weights)
    x = rng.normal(size=(16, 16, 3)).astype(np.float32)
    y = convolve_as_pytorch(x, stem.get_layer("input_conv").get_weights()[0], 1)
    y = normalised(y, stem.get_layer("input_bn"))
    expected = np.where(y > 0, y, y * stem.get_layer("input_prelu").get_weights()[0])
    np.testing.assert_allclose(stem(x[np.newaxis])[0], expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("squeeze_excitation", [False, True])
@pytest.mark.parametrize("index", [0, 3])  # max-pool shortcut, and convolution shortcut
def test_stride_two_unit_pads_as_pytorch(index, squeeze_excitation):
    rng = np.random.default_rng(index)
    backbone = small_backbone(squeeze_excitation)
    before = "input_prelu" if index == 0 else f"body_{index - 1}_add"
    unit = keras.Model(
        backbone.get_layer(before).output, backbone.get_layer(f"body_{index}_add").output
    )
    weights = [
        rng.normal(0, 0.2, w.shape) if w.ndim == 4 else rng.uniform(0.5, 1.5, w.shape)
        for w in unit.get_weights()
    ]
    unit.set_weights(weights)
    x = rng.normal(size=unit.input_shape[1:])

    def norm(values, suffix):
        return normalised(values, unit.get_layer(f"body_{index}_{suffix}"))

    def kernel(suffix):
        return unit.get_layer(f"body_{index}_{suffix}").get_weights()[0].astype(np.float64)

    y = convolve_as_pytorch(norm(x, "bn1"), kernel("conv1"), 1)
    y = np.where(y > 0, y, y * kernel("prelu"))
    y = norm(convolve_as_pytorch(y, kernel("conv2"), 2), "bn2")
    if squeeze_excitation:
        gate = np.maximum(y.mean((0, 1)) @ kernel("se_reduce")[0, 0], 0)
        y = y / (1 + np.exp(-gate @ kernel("se_expand")[0, 0]))
    shortcut = x[::2, ::2]
    if index == 3:
        shortcut = norm(shortcut @ kernel("shortcut_conv")[0, 0], "shortcut_bn")
    output = unit(tf.constant(x[np.newaxis], tf.float32)).numpy()[0]
    np.testing.assert_allclose(output, y + shortcut, rtol=1e-3, atol=1e-3)


def test_a_bad_depth_and_size_are_refused():
    with pytest.raises(ValueError, match=r"Expected `depth`.*Received: depth=34"):
        ir_backbone(34)
    with pytest.raises(ValueError, match=r"Expected `input_size`.*Received: input_size=100"):
        ir_backbone(50, input_size=100)
