"""A whole small run on generated faces, with the real MobileFaceNet."""

import json
from pathlib import Path

import numpy as np
import pytest
import yaml
from PIL import Image

from tools import train_preset
from xcos_tf.models.presets import load_preset
from xcos_tf.models.weights import read_arrays
from xcos_tf.training.config import read_config
from xcos_tf.training.run import prepare, train
from xcos_tf.training.trainer import Trainer

SHIPPED = Path(__file__).parents[2] / "configs/xcos-mobilefacenet.yaml"


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """Eight people, each a pattern of their own, in twelve noisy images each."""
    random = np.random.default_rng(0)
    root = tmp_path_factory.mktemp("data")
    for person in range(8):
        folder = root / "faces" / f"p{person}"
        folder.mkdir(parents=True)
        pattern = random.uniform(0, 255, (7, 7, 3))
        for index in range(12):
            noisy = np.clip(pattern + random.normal(0, 25, pattern.shape), 0, 255)
            image = Image.fromarray(noisy.astype(np.uint8)).resize((112, 112), Image.BICUBIC)
            image.save(folder / f"{index}.png")
    return root


@pytest.fixture(scope="module")
def config_path(tmp_path_factory):
    values = yaml.safe_load(SHIPPED.read_text())
    values.update(
        data={"sets": ["faces"], "hold_out": {"faces": 3}, "variants": 4, "blended": 1},
        batch={"people": 4, "faces": 3, "pairs": 30},
        steps=4,
        warmup_steps=1,
        checkpoint_every=1,
        validate_every=2,
        thresholds_pairs=40_000,
        correlation_pairs=40,
    )
    path = tmp_path_factory.mktemp("config") / "run.yaml"
    path.write_text(yaml.safe_dump(values))
    return path


@pytest.fixture(scope="module")
def finished(data, config_path, tmp_path_factory):
    out = tmp_path_factory.mktemp("finished") / "run"
    assert train_preset.main([str(config_path), "--data", str(data), "--out", str(out)]) == 0
    return out


def test_the_preset_loads_and_carries_its_facts(finished):
    preset = load_preset(finished / "preset")
    assert set(preset.config["thresholds"]) == {"patched", "correlated", "learned"}
    # 432 impostor pairs show an FMR of 1e-2, and none of the lower ones.
    assert all(set(rates) == {"0.01"} for rates in preset.config["thresholds"].values())
    assert preset.config["training"]["people"] == 5
    layer = preset.network.comparisons["correlated"].get_layer("correlated_attention")
    correlation = np.asarray(layer.correlation)
    assert np.abs(correlation).max() <= 1 and correlation.std() > 0
    assert "cosine" in json.loads((finished / "thresholds.json").read_text())


def test_only_the_end_of_the_backbone_is_trained(finished):
    start = read_arrays(load_preset("mobilefacenet").network.whole)
    end = read_arrays(load_preset(finished / "preset").network.whole)
    changed = {
        path.split("/")[1]
        for path, value in start.items()
        if path.startswith("backbone/") and not np.array_equal(value, end[f"grid/{path}"])
    }
    assert changed and all(
        name.startswith(("block_13", "block_14", "feature_conv")) for name in changed
    )


def test_an_interrupted_run_ends_as_an_uninterrupted_one(
    finished, data, config_path, tmp_path, monkeypatch
):
    make_step = Trainer.train_step

    def stop_at_two(self, *args):
        if int(self.step) == 2:
            raise KeyboardInterrupt
        return make_step(self, *args)

    config = read_config(config_path)
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "train_step", stop_at_two)
        with pytest.raises(KeyboardInterrupt):
            train(prepare(config, data, tmp_path))
    run = prepare(config, data, tmp_path)
    history = train(run)
    assert [row["step"] for row in history] == [2, 4]
    expected = read_arrays(load_preset(finished / "preset").network.whole)
    for path, value in read_arrays(run.network.whole).items():
        if "correlation" not in path:
            np.testing.assert_allclose(value, expected[path], atol=1e-6, err_msg=path)


def test_a_cache_of_other_settings_is_refused(finished, data, config_path, tmp_path, capsys):
    values = yaml.safe_load(config_path.read_text())
    values["seed"] = 2
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(values))
    assert train_preset.main([str(other), "--data", str(data), "--out", str(finished)]) == 2
    assert "remove the folder" in capsys.readouterr().err


def test_missing_data_is_one_sentence(config_path, tmp_path, capsys):
    arguments = [str(config_path), "--data", str(tmp_path / "none"), "--out", str(tmp_path / "out")]
    assert train_preset.main(arguments) == 2
    assert "is not a folder" in capsys.readouterr().err
