import json

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tensorflow import keras

from xcos_tf.errors import XcosError
from xcos_tf.files import read_file
from xcos_tf.models.comparison import comparison
from xcos_tf.models.mobilefacenet import mobilefacenet
from xcos_tf.models.network import XCos
from xcos_tf.models.weights import (
    LARGEST_WEIGHTS,
    assign_arrays,
    parse_arrays,
    read_arrays,
    save_weights,
    weights_at_most,
)


def load_weights(model, path):
    content = read_file(path, LARGEST_WEIGHTS, "the weights file")
    assign_arrays(model, parse_arrays(content, path), str(path))


@pytest.fixture
def model():
    return comparison((3, 3, 4), "learned")


def test_paths_name_layers_and_variables(model):
    paths = set(read_arrays(model))
    assert "learned_attention/embed_conv/kernel" in paths
    assert "learned_attention/fuse_bn/moving_variance" in paths
    assert "learned_attention/weight_prelu/alpha" in paths


def test_every_weight_of_a_network_has_a_path_of_its_own():
    network = XCos(mobilefacenet(batch_norm=False))
    arrays = read_arrays(network)
    assert sum(array.size for array in arrays.values()) == network.count_params()
    assert "grid/backbone/block_3_depthwise/kernel" in arrays
    assert "correlated/correlated_attention/correlation" in arrays


def test_round_trip(model, tmp_path, random):
    arrays = {k: random.normal(size=v.shape).astype("f") for k, v in read_arrays(model).items()}
    assign_arrays(model, arrays, "test")
    save_weights(model, tmp_path / "w.safetensors")
    assert [path.name for path in tmp_path.iterdir()] == ["w.safetensors"]
    other = comparison((3, 3, 4), "learned")
    load_weights(other, tmp_path / "w.safetensors")
    for path, value in read_arrays(other).items():
        np.testing.assert_array_equal(value, arrays[path])


def test_wrong_weights_are_named_and_change_nothing(model, tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(model, path)
    arrays = {name: value + 1 for name, value in load_file(path).items()}
    arrays["learned_attention/embed_conv/kernel"] = np.zeros((1, 1, 4, 16), np.float32)
    arrays["learned_attention/extra/kernel"] = arrays.pop("learned_attention/fuse_conv/bias")
    save_file(arrays, path)
    before = {name: value.copy() for name, value in read_arrays(model).items()}
    with pytest.raises(XcosError) as caught:
        load_weights(model, path)
    message = str(caught.value)
    assert "missing: learned_attention/fuse_conv/bias" in message
    assert "unexpected: learned_attention/extra/kernel" in message
    assert (
        "learned_attention/embed_conv/kernel is (1, 1, 4, 16) instead of (3, 3, 4, 16)" in message
    )
    for name, value in read_arrays(model).items():
        np.testing.assert_array_equal(value, before[name])


def test_a_damaged_file_is_one_sentence(model, tmp_path):
    path = tmp_path / "w.safetensors"
    save_weights(model, path)
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(XcosError, match="damaged"):
        load_weights(model, path)
    with pytest.raises(XcosError, match="is missing"):
        load_weights(model, tmp_path / "none.safetensors")


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_not_finite_are_refused(model, tmp_path, value):
    path = tmp_path / "w.safetensors"
    save_weights(model, path)
    arrays = load_file(path)
    name = sorted(arrays)[0]
    arrays[name] = np.full_like(arrays[name], value)
    save_file(arrays, path)
    with pytest.raises(XcosError, match=f"a weight that is not finite \\({name}\\)"):
        load_weights(model, path)


@pytest.mark.parametrize("dtype", [np.int32, np.bool_, np.complex64])
def test_weights_of_another_type_are_refused(model, tmp_path, dtype):
    path = tmp_path / "w.safetensors"
    save_weights(model, path)
    save_file({name: array.astype(dtype) for name, array in load_file(path).items()}, path)
    with pytest.raises(XcosError, match=r"of another type: .*; use the weights"):
        load_weights(model, path)


@pytest.mark.parametrize("kind", ["BF16", "F8_E4M3", "X99"])
def test_a_type_that_numpy_lacks_is_refused(tmp_path, kind):
    path = tmp_path / "w.safetensors"
    size = 1 if kind.startswith("F8") else 2
    header = json.dumps({"a": {"dtype": kind, "shape": [1], "data_offsets": [0, size]}}).encode()
    path.write_bytes(len(header).to_bytes(8, "little") + header + bytes(size))
    with pytest.raises(XcosError, match=r"of the type|is damaged or not safetensors"):
        parse_arrays(path.read_bytes(), path)


def test_a_model_of_more_weights_than_allowed_takes_no_memory():
    with weights_at_most(1000):
        keras.layers.Dense(9).build((None, 100))
    dense, convolution = keras.layers.Dense(10**9), keras.layers.Conv2D(10**9, 3)
    for layer, shape in ((dense, (None, 100)), (convolution, (None, 8, 8, 3))):
        with weights_at_most(1000), pytest.raises(ValueError, match="more weights than its file"):
            layer.build(shape)
    keras.layers.Dense(100).build((None, 100))
