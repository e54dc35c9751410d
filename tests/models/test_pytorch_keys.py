import numpy as np
import pytest
from tensorflow import keras

from xcos_tf.errors import XcosError
from xcos_tf.models import ir
from xcos_tf.models.pytorch_keys import convert_state_dict
from xcos_tf.models.weights import named_weights

UNITS = {50: (3, 4, 14, 3), 100: (3, 13, 30, 3), 152: (3, 8, 36, 3)}


@pytest.fixture
def shallow(monkeypatch):
    """Give depths 50 and 100 fewer units, which are built in less time."""
    for units in (UNITS, ir.STAGE_UNITS):
        monkeypatch.setitem(units, 50, (3, 1, 1, 1))
        monkeypatch.setitem(units, 100, (3, 2, 1, 1))


def zeros(*shape):
    return np.broadcast_to(np.float32(0), shape)


def batch_norm(key, channels):
    return {
        f"{key}.{name}": zeros(channels)
        for name in ("weight", "bias", "running_mean", "running_var")
    } | {f"{key}.num_batches_tracked": np.int64(5)}


def backbone_state(prefix: str, depth: int, squeeze_excitation: bool) -> dict:
    state = {f"{prefix}input_layer.0.weight": zeros(64, 3, 3, 3)}
    state |= batch_norm(f"{prefix}input_layer.1", 64)
    state[f"{prefix}input_layer.2.weight"] = zeros(64)
    index, width = 0, 64
    for channels, count in zip((64, 128, 256, 512), UNITS[depth], strict=True):
        for _ in range(count):
            unit = f"{prefix}body.{index}."
            state |= batch_norm(f"{unit}res_layer.0", width)
            state[f"{unit}res_layer.1.weight"] = zeros(channels, width, 3, 3)
            state[f"{unit}res_layer.2.weight"] = zeros(channels)
            state[f"{unit}res_layer.3.weight"] = zeros(channels, channels, 3, 3)
            state |= batch_norm(f"{unit}res_layer.4", channels)
            if squeeze_excitation:
                state[f"{unit}res_layer.5.fc1.weight"] = zeros(channels // 16, channels, 1, 1)
                state[f"{unit}res_layer.5.fc2.weight"] = zeros(channels, channels // 16, 1, 1)
            if width != channels:
                state[f"{unit}shortcut_layer.0.weight"] = zeros(channels, width, 1, 1)
                state |= batch_norm(f"{unit}shortcut_layer.1", channels)
            index, width = index + 1, channels
    return state


def fc_state(prefix: str) -> dict:
    linear = {
        f"{prefix}output_layer.3.weight": zeros(512, 25088),
        f"{prefix}output_layer.3.bias": zeros(512),
    }
    norms = batch_norm(f"{prefix}output_layer.0", 512) | batch_norm(f"{prefix}output_layer.4", 512)
    return linear | norms


def xcos_state(depth: int = 50, squeeze_excitation: bool = True) -> dict:
    state = backbone_state("backbone.", depth, squeeze_excitation)
    for key, channels_in, channels_out, size, slopes in (
        ("backbone.conv1x1", 512, 32, 1, 32),
        ("attention.embedding_net", 32, 16, 3, 1),
        ("attention.attention", 32, 16, 3, 1),
    ):
        state[f"{key}.0.weight"] = zeros(channels_out, channels_in, size, size)
        state[f"{key}.0.bias"] = zeros(channels_out)
        state |= batch_norm(f"{key}.1", channels_out)
        state[f"{key}.2.weight"] = zeros(slopes)
    state["attention.attention.3.weight"] = zeros(1, 16, 3, 3)
    state["attention.attention.3.bias"] = zeros(1)
    state |= batch_norm("attention.attention.4", 1)
    state["attention.attention.5.weight"] = zeros(1)
    return state


def check_fits(converted):
    """The arrays are exactly the weights of the network."""
    weights = named_weights(converted.model)
    assert {path: tuple(w.shape) for path, w in weights.items()} == {
        path: array.shape for path, array in converted.arrays.items()
    }
    assert all(array.dtype == np.float32 for array in converted.arrays.values())
    keras.backend.clear_session()


@pytest.mark.parametrize(("depth", "squeeze_excitation"), [(50, True), (152, False)])
def test_xcos_model_becomes_ours(depth, squeeze_excitation):
    conversion = convert_state_dict(xcos_state(depth, squeeze_excitation))
    assert conversion.network.model.described["backbone"]["depth"] == depth
    assert (
        conversion.network.model.described["backbone"]["squeeze_excitation"] is squeeze_excitation
    )
    assert conversion.teacher is None
    assert conversion.margin_kernel is None
    check_fits(conversion.network)


@pytest.mark.usefixtures("shallow")
def test_plain_variant_becomes_ours():
    state = backbone_state("", 100, False) | fc_state("")
    conversion = convert_state_dict(state)
    assert conversion.network.model.described["backbone"]["depth"] == 100
    assert conversion.network.model.described["backbone"]["squeeze_excitation"] is False
    check_fits(conversion.network)


@pytest.mark.usefixtures("shallow")
def test_teacher_may_be_of_another_depth_and_the_unused_head_is_left_out():
    state = xcos_state() | backbone_state("backbone_target.", 100, False)
    state |= fc_state("backbone_target.") | fc_state("backbone.")
    conversion = convert_state_dict(state)
    assert conversion.teacher.model.described["backbone"]["depth"] == 100
    assert not any("fc/" in path for path in conversion.network.arrays)
    assert conversion.teacher.arrays["embedding_head/fc/kernel"].shape == (25088, 512)


@pytest.mark.usefixtures("shallow")
def test_flattened_rows_become_channels_last():
    # Each row says where it stands: 49·c + 7·h + w in PyTorch.
    order = np.arange(1568, dtype=np.float32)
    kernel = convert_state_dict(
        xcos_state() | {"head.kernel": np.stack([order, -order], axis=1)}
    ).margin_kernel
    h, w, c = np.meshgrid(np.arange(7), np.arange(7), np.arange(32), indexing="ij")
    expected = (49 * c + 7 * h + w).reshape(-1)
    np.testing.assert_array_equal(kernel, np.stack([expected, -expected]))

    state = backbone_state("backbone.", 50, True) | fc_state("backbone.")
    state["backbone.output_layer.3.weight"] = np.broadcast_to(
        np.arange(25088, dtype=np.float32), (512, 25088)
    )
    state["head.kernel"] = np.arange(1024, dtype=np.float32).reshape(512, 2)
    conversion = convert_state_dict(state)
    h, w, c = np.meshgrid(np.arange(7), np.arange(7), np.arange(512), indexing="ij")
    fc = conversion.network.arrays["embedding_head/fc/kernel"]
    np.testing.assert_array_equal(fc[:, 5], (49 * c + 7 * h + w).reshape(-1))
    np.testing.assert_array_equal(conversion.margin_kernel, state["head.kernel"].T)


@pytest.mark.usefixtures("shallow")
def test_problems_are_named_by_pytorch_key():
    state = xcos_state()
    del state["backbone.body.3.shortcut_layer.1.running_var"]
    state["backbone.body.0.shortcut_layer.0.weight"] = zeros(64, 64, 1, 1)
    state["backbone.conv1x1.0.weight"] = zeros(16, 512, 1, 1)
    with pytest.raises(XcosError) as error:
        convert_state_dict(state, "some.pth")
    sentence = str(error.value)
    assert sentence.startswith("some.pth is not a model that can be converted (missing: ")
    assert "missing: backbone.body.3.shortcut_layer.1.running_var;" in sentence
    assert "unexpected: backbone.body.0.shortcut_layer.0.weight;" in sentence
    assert (
        "misshapen: backbone.conv1x1.0.weight is (16, 512, 1, 1) instead of (32, 512, 1, 1)"
        in sentence
    )


@pytest.mark.usefixtures("shallow")
def test_many_problems_stay_one_sentence():
    with pytest.raises(XcosError, match="and 16 more"):
        convert_state_dict(
            {k: v for k, v in xcos_state().items() if not k.startswith("attention.")}
        )


@pytest.mark.parametrize(
    ("units", "sentence"),
    [(0, "has no keys like backbone.body.0"), (20, "has 20 units under backbone.body")],
)
def test_unknown_depth_is_refused(units, sentence):
    state = {
        key: value
        for key, value in xcos_state().items()
        if ".body." not in key or int(key.split(".")[2]) < units
    }
    with pytest.raises(XcosError, match=sentence):
        convert_state_dict(state)
