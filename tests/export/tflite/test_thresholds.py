"""Which thresholds a variant gets, and the file that they are kept in."""

import pytest

from xcos_tf.errors import XcosError
from xcos_tf.export.tflite.export import COMPRESSED, CONVERTED
from xcos_tf.export.tflite.thresholds import FILE, MeasuredThresholds, variant_thresholds
from xcos_tf.models.presets import find_preset, read_config

CONFIG = {"weights": {"sha256": "ab"}, "thresholds": {"learned": {"0.001": 0.5}}}
MEASURED = MeasuredThresholds("ab", "learned", "measured", {"int8": {"0.001": 0.4}})


def test_measured_ones(tmp_path):
    MEASURED.write(tmp_path / FILE)
    found = variant_thresholds(tmp_path, CONFIG, "learned", "int8")
    assert found == {"thresholds": {"0.001": 0.4}, "thresholds_measured": "int8: measured"}


@pytest.mark.parametrize(
    ("preset", "variants"),
    [
        ("xcos-mobilefacenet", CONVERTED),
        ("xcos-mobilefacenet-2", CONVERTED + COMPRESSED),
        ("xcos-mobilefacenet-occlusion", CONVERTED),
    ],
)
def test_those_of_the_presets_that_ship(preset, variants):
    folder = find_preset(preset)
    config = read_config(folder)
    own = config["thresholds"]["learned"]
    for variant in variants:
        found = variant_thresholds(folder, config, "learned", variant)
        assert found["thresholds_measured"].startswith(
            f"{variant}: measured on 500,000 impostor pairs"
        )
        assert found["thresholds"] == pytest.approx(own, abs=0.03)
        if variant == "float32":
            assert found["thresholds"] == pytest.approx(own, abs=1e-5)


@pytest.mark.parametrize(
    ("config", "attention", "variant", "own_faces"),
    [
        (CONFIG, "learned", "float16", False),
        (CONFIG, "learned", "int8", True),
        ({**CONFIG, "weights": {"sha256": "cd"}}, "learned", "int8", False),
    ],
)
def test_others_are_the_presets_own_and_say_so(tmp_path, config, attention, variant, own_faces):
    MEASURED.write(tmp_path / FILE)
    found = variant_thresholds(tmp_path, config, attention, variant, own_faces)
    assert found["thresholds"] == {"0.001": 0.5}
    assert found["thresholds_measured"].startswith(f"not for {variant}: these are the preset's own")


def test_none_of_this_attention(tmp_path):
    MEASURED.write(tmp_path / FILE)
    found = variant_thresholds(tmp_path, CONFIG, "patched", "int8")
    assert found["thresholds"] == {}
    assert found["thresholds_measured"] == "not measured: the preset has none for patched"


def test_other_variants_stay_if_measured_in_the_same_way(tmp_path):
    path = tmp_path / FILE
    MEASURED.write(path)
    MeasuredThresholds("ab", "learned", "measured", {"float16": {"0.001": 0.3}}).write(path)
    assert set(MeasuredThresholds.read(path).variants) == {"int8", "float16"}
    MeasuredThresholds("ab", "learned", "otherwise", {"float32": {"0.001": 0.3}}).write(path)
    assert set(MeasuredThresholds.read(path).variants) == {"float32"}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"variants": {}}',
        '{"preset_sha256": "", "attention": "", "measured": "",'
        ' "variants": {"int8": {"0.001": "x"}}}',
    ],
)
def test_damaged_file(tmp_path, text):
    (tmp_path / FILE).write_text(text)
    with pytest.raises(XcosError, match="is damaged"):
        variant_thresholds(tmp_path, CONFIG, "learned", "int8")
