import json
import shutil

import numpy as np
import pytest

from tests.export.compression.conftest import PRESET
from xcos_tf.errors import XcosError
from xcos_tf.export.compression import COMPRESSED
from xcos_tf.export.compression.layout import simple_weights
from xcos_tf.export.compression.shipped import FOLDER, RECORD, load_compressed, save_compressed
from xcos_tf.export.compression.students import SMALLEST_KERNEL
from xcos_tf.models.presets import find_preset


@pytest.fixture
def folder(tmp_path):
    """A copy of the preset that may be changed, without its compressed weights."""
    copy = tmp_path / "preset"
    shutil.copytree(find_preset(PRESET), copy, ignore=shutil.ignore_patterns(FOLDER))
    return copy


@pytest.fixture(params=COMPRESSED)
def shipped(request, preset):
    return load_compressed(find_preset(PRESET), preset.config, request.param)


def large_kernels(weights):
    return {
        name: array
        for name, array in weights.items()
        if name.endswith("/kernel") and "depthwise" not in name and array.size >= SMALLEST_KERNEL
    }


def test_what_ships_is_small():
    folder = find_preset(PRESET) / FOLDER
    assert {path.name for path in folder.iterdir()} == {
        RECORD,
        *(f"{variant}.safetensors" for variant in COMPRESSED),
    }
    assert sum(path.stat().st_size for path in folder.iterdir()) < 7e6


def test_what_ships_says_how_it_was_made(shipped, preset):
    assert shipped.record["preset_sha256"] == preset.config["weights"]["sha256"]
    made, facts = shipped.record["made"], shipped.record["facts"]
    assert made["sets"] == preset.config["training"]["config"]["data"]["sets"]
    assert made["hold_out"] == preset.config["training"]["config"]["data"]["hold_out"]
    assert {"steps", "seed", "batch", "rate"} <= set(made)
    assert facts["people"] == preset.config["training"]["people"]
    assert facts["faces"] == preset.config["training"]["images"]
    assert ("tensorflow-model-optimization" in facts) == (not shipped.ranges)  # qat needs none
    assert facts["validation"]["people"] == 50
    assert "/" not in json.dumps(shipped.record)


def test_shipped_weights_have_their_shapes(shipped, preset):
    expected = {
        name.replace("/alpha", "/rest") if shipped.ranges else name: array.shape
        for name, array in simple_weights(preset.network).items()
    }
    assert {name: array.shape for name, array in shipped.weights.items()} == expected


def test_as_many_weights_are_zero_as_recorded(preset):
    pruned = load_compressed(find_preset(PRESET), preset.config, "pruned")
    assert len(large_kernels(pruned.weights)) == 33
    for name, kernel in large_kernels(pruned.weights).items():
        zeros = np.mean(kernel == 0)
        assert zeros == pytest.approx(pruned.record["made"]["sparsity"], abs=0.01), name


def test_as_many_values_are_distinct_as_recorded(preset):
    clustered = load_compressed(find_preset(PRESET), preset.config, "clustered")
    clusters = clustered.record["made"]["clusters"]
    for name, kernel in large_kernels(clustered.weights).items():
        assert clusters / 2 < len(np.unique(kernel)) <= clusters, name


def test_ranges_of_int8_are_around_zero(preset):
    qat = load_compressed(find_preset(PRESET), preset.config, "qat")
    assert {"image", "conv", "block_1_add", "stem_conv_prelu_rest"} <= set(qat.ranges)
    for name, (low, high) in qat.ranges.items():
        assert low <= 0 < high, name


def test_round_trip(folder, preset, random):
    record = {"preset_sha256": preset.config["weights"]["sha256"], "made": {}}
    weights = {"a/kernel": random.normal(size=(1, 1, 8, 3)).astype(np.float32)}
    save_compressed(folder, "pruned", weights, record)
    save_compressed(folder, "qat", {**weights, "a/range": np.array([-1.0, 2.0])}, record)
    pruned = load_compressed(folder, preset.config, "pruned")
    np.testing.assert_array_equal(pruned.weights["a/kernel"], np.float16(weights["a/kernel"]))
    assert pruned.ranges == {}
    qat = load_compressed(folder, preset.config, "qat")
    step = np.abs(weights["a/kernel"]).max(axis=(0, 1, 2)) / 127
    assert np.all(np.abs(qat.weights["a/kernel"] - weights["a/kernel"]) <= step * 0.501)
    np.testing.assert_array_equal(qat.ranges["a"], [-1, 2])
    assert set(qat.weights) == {"a/kernel"}


def test_what_cannot_be_used_is_one_sentence(folder, preset):
    config = preset.config
    with pytest.raises(XcosError, match="no compressed variant 'halved'; use one of pruned"):
        load_compressed(folder, config, "halved")
    with pytest.raises(XcosError, match="has no qat weights; leave qat out, or make them"):
        load_compressed(folder, config, "qat")
    record = {"preset_sha256": "0" * 64}
    save_compressed(folder, "qat", {"a/kernel": np.ones((1, 1, 2, 2))}, record)
    with pytest.raises(XcosError, match="has no pruned weights"):
        load_compressed(folder, config, "pruned")
    with pytest.raises(XcosError, match="were made from other weights than it has now"):
        load_compressed(folder, config, "qat")
    record = {"preset_sha256": config["weights"]["sha256"]}
    save_compressed(folder, "qat", {"a/kernel": np.ones((1, 1, 2, 2))}, record)
    with open(folder / FOLDER / "qat.safetensors", "ab") as stream:
        stream.write(b"more")
    with pytest.raises(XcosError, match="is damaged: its SHA-256 is not"):
        load_compressed(folder, config, "qat")
    for damage in ("{", "[]", '{"qat": {}}', '{"qat": 1}'):
        (folder / FOLDER / RECORD).write_text(damage)
        with pytest.raises(XcosError, match=r"record.json is damaged .*get the preset again"):
            load_compressed(folder, config, "qat")
