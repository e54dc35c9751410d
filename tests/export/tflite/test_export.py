"""Bad input to the export, and what it leaves behind."""

import pytest
from PIL import Image

from tests.verifying import MODEL, untrained_network, untrained_preset
from xcos_tf.errors import XcosError
from xcos_tf.export.tflite import export
from xcos_tf.export.tflite.export import export_tflite
from xcos_tf.models.builder import build_network
from xcos_tf.models.presets import save_preset
from xcos_tf.runtime.model_file import ModelFile
from xcos_tf.verifier import Verifier

PRESET = "xcos-mobilefacenet-2"


@pytest.fixture
def quick(monkeypatch):
    """The same, of one model for one face."""
    monkeypatch.setattr(export, "MODELS", ("compare",))
    monkeypatch.setattr(export, "BATCHES", (1,))


@pytest.mark.parametrize(
    ("variants", "sentence"),
    [
        (["int4"], "no TFLite variant 'int4'; use some of float32, float16, dynamic, int8, pruned"),
        ([], "no TFLite variant was named"),
    ],
)
def test_unknown_variants(tmp_path, variants, sentence):
    with pytest.raises(XcosError, match=sentence):
        export_tflite(PRESET, tmp_path / "out", variants)
    assert not (tmp_path / "out").exists()


def test_representative_faces_that_are_missing(tmp_path):
    with pytest.raises(XcosError, match=r"no folder .*nowhere of representative faces"):
        export_tflite(PRESET, tmp_path / "out", ["float32", "int8"], tmp_path / "nowhere")
    Image.new("RGB", (64, 64)).save(tmp_path / "small.png")
    (tmp_path / "text.jpg").write_text("no photo")
    with pytest.raises(XcosError, match="holds no face of 112×112 pixels"):
        export_tflite(PRESET, tmp_path / "out", ["float32", "int8"], tmp_path)
    assert not (tmp_path / "out").exists()


def test_representative_faces_without_int8(tmp_path):
    with pytest.raises(XcosError, match="are for int8"):
        export_tflite(PRESET, tmp_path / "out", ["float32"], tmp_path)


@pytest.mark.usefixtures("quick")
def test_plain_preset_gives_its_embeddings(tmp_path, portraits):
    embed, head = export_tflite("mobilefacenet", tmp_path, ["float32"])
    assert [path.name for path in (embed, head)] == ["embed.float32.tflite", "head.float32.tflite"]
    about = ModelFile.read(embed).metadata
    assert [(x["name"], x["shape"]) for x in about["outputs"]] == [
        ("embedding", [1, 192]),
        ("feature_map", [1, 7, 7, 512]),
    ]
    verifier = Verifier.from_export(tmp_path)
    assert verifier.attentions == ("cosine",)
    faces = [verifier.enroll(portraits[x], aligned=True) for x in ("obama", "obama2", "biden")]
    assert verifier.verify(*faces[:2]).same and not verifier.verify(*faces[1:]).same
    with pytest.raises(XcosError, match="int8 is made of networks with a grid feature"):
        export_tflite("mobilefacenet", tmp_path / "out", ["int8"])


def test_preset_of_one_attention(tmp_path, monkeypatch, portraits):
    """The files score by the one that it has, under its name, and with its threshold."""
    monkeypatch.setattr(export, "MODELS", ("embed", "compare"))
    monkeypatch.setattr(export, "BATCHES", (None,))
    network = untrained_network()
    xcos = {**MODEL["xcos"], "attentions": ["patched"]}
    one = build_network({**MODEL, "xcos": xcos})
    one.features.set_weights(network.features.get_weights())
    thresholds = {"learned": {"0.001": 0.1}, "patched": {"0.001": 0.2}}
    save_preset(tmp_path / "mine", {"name": "mine", "thresholds": thresholds}, one)
    export_tflite(str(tmp_path / "mine"), tmp_path / "out", ["float32"])
    lite, keras = Verifier.from_export(tmp_path / "out"), Verifier.from_preset(tmp_path / "mine")
    assert lite.attentions == keras.attentions == ("patched",)
    results = [x.verify(*list(portraits.values())[:2], aligned=True) for x in (lite, keras)]
    assert [(x.attention, x.threshold) for x in results] == [("patched", 0.2)] * 2
    assert results[0].score == pytest.approx(results[1].score, abs=1e-5)
    with pytest.raises(XcosError, match="'mine' has no attention 'learned'; use one of patched"):
        lite.threshold("learned")


def test_compressed_variant_that_was_not_made(tmp_path):
    preset = str(untrained_preset(tmp_path))
    with pytest.raises(XcosError, match="has no qat weights"):
        export_tflite(preset, tmp_path / "out", ["float32", "qat"])
    assert not (tmp_path / "out").exists()


def test_folder_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(XcosError, match="cannot be written; choose another folder"):
        export_tflite(PRESET, tmp_path / "file" / "out", ["float32"])
    with pytest.raises(XcosError, match="cannot be written; choose another folder"):
        export_tflite(PRESET, "/proc/self/out", ["float32"])


@pytest.mark.usefixtures("quick")
def test_users_preset_says_that_thresholds_are_the_float_models(tmp_path):
    preset = untrained_preset(tmp_path)
    (path,) = export_tflite(str(preset), tmp_path / "out", ["float16", "float16"])
    about = ModelFile.read(path).metadata
    assert about["thresholds"] == {"0.01": 0.3, "0.001": 0.4, "0.0001": 0.5}
    assert about["thresholds_measured"].startswith("not for float16: these are the preset's own")


@pytest.mark.usefixtures("quick")
def test_file_is_replaced_whole_or_not_at_all(tmp_path, monkeypatch):
    (path,) = export_tflite(PRESET, tmp_path, ["float32"])
    first = path.read_bytes()
    path.write_bytes(b"old")
    monkeypatch.setattr(export, "append_metadata", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        export_tflite(PRESET, tmp_path, ["float32"])
    assert [x.name for x in tmp_path.iterdir()] == [path.name]
    assert path.read_bytes() == b"old"
    monkeypatch.undo()
    monkeypatch.setattr(export, "MODELS", ("compare",))
    monkeypatch.setattr(export, "BATCHES", (1,))
    export_tflite(PRESET, tmp_path, ["float32"])
    assert path.read_bytes() == first
