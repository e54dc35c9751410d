"""A preset's TFLite files give what its Keras network gives, and bad ones are refused."""

import hashlib
import json
import os
import shutil
import signal
import zipfile
from pathlib import Path

import numpy as np
import pytest

from xcos_tf.errors import XcosError
from xcos_tf.files import read_file
from xcos_tf.models.preset_folder import BUNDLED, lite_folder
from xcos_tf.runtime.lite_model import LiteModel
from xcos_tf.runtime.litert import LiteRuntime
from xcos_tf.runtime.model_file import ModelFile
from xcos_tf.verifier import Verifier


@pytest.mark.parametrize("batch", ["", ".batch"])
def test_one_face_at_a_time_or_several(lite_models, portraits, lite, batch):
    verifier = Verifier.from_export(lite_models, f"float32{batch}")
    faces = np.stack([portraits[name] for name in ("obama", "obama2", "biden")])
    grids = verifier.embed(faces)
    np.testing.assert_allclose(grids, lite.embed(faces), atol=1e-5)
    pairs = grids, np.roll(grids, -1, axis=0)
    for name, values in lite.explain_pairs(*pairs).items():
        np.testing.assert_allclose(verifier.explain_pairs(*pairs)[name], values, atol=1e-6)
    assert (lite.compare_pairs(*pairs) >= lite.threshold()).tolist() == [True, False, False]


def test_thresholds_are_those_in_the_file(lite, lite_models):
    stated = ModelFile.read(lite_models / "embed.float32.tflite").metadata["thresholds"]
    assert lite.threshold() == stated["0.001"]
    assert lite.threshold(fmr=1e-2) == stated["0.01"] < lite.threshold(fmr=1e-4) == stated["0.0001"]
    with pytest.raises(XcosError, match="1e-05"):
        lite.threshold(fmr=1e-5)


@pytest.mark.parametrize("shapes", [((2, 7, 7, 32), (1, 7, 7, 32)), ((7, 7, 32),) * 2])
def test_compare_refuses(lite, shapes):
    with pytest.raises(ValueError, match=r"Expected two arrays .* Received: "):
        lite.explain_pairs(*(np.zeros(shape, np.float32) for shape in shapes))


def test_missing_variant_names_those_there_are(lite_models, tmp_path):
    with pytest.raises(XcosError, match=r"no embed.int8.tflite and no .* use one of float32$"):
        Verifier.from_export(lite_models, "int8")
    with pytest.raises(XcosError, match="make it with `xcos export`"):
        Verifier.from_export(tmp_path)


def test_another_model_is_refused(lite_models):
    with pytest.raises(XcosError, match="is the model 'verify' where 'embed' is needed"):
        ModelFile.read(lite_models / "verify.float32.tflite", "embed")


def test_what_was_checked_is_what_runs(lite_models, tmp_path, monkeypatch):
    """A file that is swapped at any moment after it was opened changes nothing."""
    opened = []

    def read_once(path, *arguments):
        content = read_file(path, *arguments)
        opened.append(Path(path).name)
        Path(path).write_bytes(b"another")
        return content

    folder = tmp_path / "models"
    shutil.copytree(lite_models, folder)
    whole = Verifier.from_export(folder)
    monkeypatch.setattr("xcos_tf.runtime.model_file.read_file", read_once)
    swapped = Verifier.from_export(folder)
    assert sorted(opened) == ["compare.float32.tflite", "embed.float32.tflite"]
    assert swapped.runtime.identity == whole.runtime.identity
    assert swapped.threshold() == whole.threshold()
    faces = np.zeros((1, 112, 112, 3), np.uint8)
    np.testing.assert_array_equal(swapped.embed(faces), whole.embed(faces))


def test_another_identity_is_refused_before_anything_runs(lite_models, monkeypatch):
    identity = Verifier.from_export(lite_models).runtime.identity
    assert Verifier.from_export(lite_models, identity=identity).threshold() > 0
    monkeypatch.setattr("xcos_tf.runtime.litert.LiteModel", None)
    with pytest.raises(XcosError, match="are not the models that were enrolled with"):
        Verifier.from_export(lite_models, identity="0" * 64)


def test_a_model_that_says_it_is_another_is_refused(lite_models, tmp_path):
    other = tmp_path / "embed.float32.tflite"
    with_metadata(lite_models / "verify.float32.tflite", other, {"model": "embed"})
    with pytest.raises(XcosError, match="is not the model that it says it is"):
        LiteModel(ModelFile.read(other, "embed"))


def test_a_score_that_is_not_finite_is_refused(lite):
    grids = np.full((1, 7, 7, 32), np.nan, np.float32)
    with pytest.raises(XcosError, match="a score that is not finite"):
        lite.explain_pairs(grids, grids)


def test_survives_a_fork(lite_models):
    lite = Verifier.from_export(lite_models, "float32.batch", threads=2)
    faces = np.zeros((3, 112, 112, 3), np.uint8)
    grids = lite.embed(faces)
    if not (child := os.fork()):
        signal.alarm(60)
        os._exit(0 if np.array_equal(lite.embed(faces), grids) else 1)
    assert os.waitpid(child, 0)[1] == 0


def with_metadata(source, target, changes):
    """Copy a model with other words in its description."""
    content = json.dumps(ModelFile.read(source).metadata | changes)
    with zipfile.ZipFile(source) as archive:
        start = archive.infolist()[0].header_offset
    target.write_bytes(source.read_bytes()[:start])
    with zipfile.ZipFile(target, "a") as archive:
        archive.writestr("xcos.json", content)


def test_files_of_different_presets_are_refused(lite_models, tmp_path):
    other = tmp_path / "compare.float32.tflite"
    with_metadata(lite_models / other.name, other, {"preset_sha256": "0" * 64})
    with pytest.raises(XcosError, match="different presets"):
        LiteRuntime(lite_models / "embed.float32.tflite", other)


def test_damaged_model_is_refused(lite_models, tmp_path):
    """The description is whole, the model before it is not."""
    whole, damaged = lite_models / "embed.float32.tflite", tmp_path / "embed.tflite"
    content = bytearray(whole.read_bytes())
    for places in (slice(0, 64), slice(1000, 1001), slice(2_000_000, 2_000_001)):
        changed = content.copy()
        changed[places] = bytes(x ^ 255 for x in changed[places])
        damaged.write_bytes(changed)
        with pytest.raises(XcosError, match=r"the model .* is damaged; export it again"):
            ModelFile.read(damaged)
    changed = content.copy()
    changed[:64] = bytes(64)
    damaged.write_bytes(changed)
    with_metadata(whole, tmp_path / "hashed.tflite", {"model_sha256": sha_of_model(damaged)})
    crafted = bytearray((tmp_path / "hashed.tflite").read_bytes())
    crafted[:64] = bytes(64)
    damaged.write_bytes(crafted)
    with pytest.raises(XcosError, match=r"cannot be run .*; export it again"):
        LiteModel(ModelFile.read(damaged))


def sha_of_model(path):
    """Return the SHA-256 of all before the description."""
    with zipfile.ZipFile(path) as archive:
        start = archive.infolist()[0].header_offset
    return hashlib.sha256(path.read_bytes()[:start]).hexdigest()


def test_identity_is_of_both_files(lite, lite_models, tmp_path):
    for model in ("embed", "compare"):
        folder = tmp_path / model
        shutil.copytree(lite_models, folder)
        file = folder / f"{model}.float32.tflite"
        assert Verifier.from_export(folder).runtime.identity == lite.runtime.identity
        with_metadata(lite_models / file.name, file, {"note": "changed"})
        assert Verifier.from_export(folder).runtime.identity != lite.runtime.identity


def test_files_whose_grids_do_not_fit_are_refused(monkeypatch):
    class OtherGrid(LiteModel):
        def __init__(self, *args):
            super().__init__(*args)
            self.inputs = {
                x: (5, 5, 32) if x.startswith("grid") else y for x, y in self.inputs.items()
            }

    monkeypatch.setattr("xcos_tf.runtime.litert.LiteModel", OtherGrid)
    with pytest.raises(XcosError, match="are of different presets; give two files of one export"):
        LiteRuntime.from_folder(lite_folder(BUNDLED / "xcos-mobilefacenet-2"))
