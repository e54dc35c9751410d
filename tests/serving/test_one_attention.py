"""Presets of one attention, on a server's own sessions and as TFLite files, of another grid."""

import numpy as np
import pytest

from tests.serving.servables import Servables
from tests.serving.stand_in import StandIn
from tests.verifying import ATTENTIONS
from xcos_tf.environment import keras
from xcos_tf.export.saved_model import plan_version, publish_version
from xcos_tf.export.tflite import export
from xcos_tf.models.network import make_explainable
from xcos_tf.models.preset_config import read_config
from xcos_tf.models.presets import save_preset
from xcos_tf.runtime.model_file import ModelFile
from xcos_tf.serving.client import ServingClient
from xcos_tf.serving.photos import verify_photos
from xcos_tf.verifier import Verifier

GRID = (4, 4)


@pytest.fixture(scope="module")
def presets(tmp_path_factory):
    """{attention: folder of a small preset that has it alone, with a threshold of its own}."""
    base, made = tmp_path_factory.mktemp("presets"), {}
    keras.utils.set_random_seed(7)
    for number, attention in enumerate(ATTENTIONS):
        image = keras.Input((112, 112, 3))
        backbone = keras.Model(image, keras.layers.Conv2D(6, 28, strides=28)(image))
        network = make_explainable(backbone, attention, channels=5)
        if attention == "correlated":
            layer = network.comparisons[attention].get_layer("correlated_attention")
            layer.correlation.assign(keras.random.uniform(GRID))
        # That of another attention must not be taken for it.
        thresholds = {x: {"0.001": 0.9} for x in ATTENTIONS}
        thresholds[attention] = {"0.001": 0.1 + 0.2 * number}
        save_preset(base / attention, {"name": attention, "thresholds": thresholds}, network)
        made[attention] = base / attention
    return made


@pytest.fixture(scope="module")
def server(presets, tmp_path_factory):
    base = tmp_path_factory.mktemp("served")
    for folder in presets.values():
        publish_version(plan_version(folder, base))
    with StandIn(Servables(base, labels={}), "rest") as server:
        yield server


@pytest.mark.slow
@pytest.mark.parametrize("attention", ATTENTIONS)
def test_served_and_lite_verdicts_are_the_presets_own(
    presets, server, attention, portraits, tmp_path, monkeypatch
):
    monkeypatch.setattr(export, "MODELS", ("embed", "compare"))
    monkeypatch.setattr(export, "BATCHES", (None,))
    folder, faces = presets[attention], list(portraits.values())[:2]
    expected = Verifier.from_preset(folder).verify(*faces, aligned=True)
    assert (expected.attention, expected.threshold) == (
        attention,
        pytest.approx(0.1 + 0.2 * ATTENTIONS.index(attention)),
    )
    export.export_tflite(str(folder), tmp_path, ["float32"])
    for path in tmp_path.iterdir():
        assert ModelFile.read(path).metadata["attention"] == attention
    lite = Verifier.from_export(tmp_path)
    assert lite.attentions == (attention,) and lite.runtime.feature_shape == (*GRID, 5)
    with ServingClient(server.address, model=attention, timeout=60) as client:
        served = verify_photos(client, *faces, read_config(folder), aligned=True)
        other = verify_photos(client, *faces, read_config(folder), threshold=-1, aligned=True)
    assert (other.attention, other.same) == (attention, True)
    for found in (served, lite.verify(*faces, aligned=True)):
        assert (found.attention, found.threshold) == (attention, pytest.approx(expected.threshold))
        assert found.same == expected.same
        assert found.score == pytest.approx(expected.score, abs=1e-5)
        for name in ("similarity_map", "attention_map"):
            ours, theirs = getattr(found, name), getattr(expected, name)
            assert ours.shape == GRID
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)
