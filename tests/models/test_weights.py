import numpy as np
import pytest
from safetensors.numpy import load_file, save_file

from xcos_tf.errors import XcosError
from xcos_tf.models.comparison import comparison
from xcos_tf.models.mobilefacenet import mobilefacenet
from xcos_tf.models.network import XCos
from xcos_tf.models.weights import assign_arrays, load_weights, read_arrays, save_weights


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
    with pytest.raises(XcosError, match="does not exist"):
        load_weights(model, tmp_path / "none.safetensors")
