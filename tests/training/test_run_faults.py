"""What `xcos train` cannot do, it says in one sentence, before it writes anything."""

import pickle
import shutil
from collections import namedtuple
from pathlib import Path

import pytest
from PIL import Image

from tests.training.running import prepare, train_command, write_config
from xcos_tf.cli.main import main
from xcos_tf.data.records import writer
from xcos_tf.errors import XcosError
from xcos_tf.files import only_writer
from xcos_tf.models.presets import load_preset
from xcos_tf.training import checkpoints

HERE = Path(__file__).parent


def refused(capsys, words):
    """Run the command, which must refuse; returns the sentence."""
    capsys.readouterr()
    assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    (sentence,) = captured.err.splitlines()
    name, _, sentence = sentence.partition(": error: ")
    assert name == "xcos train"
    return sentence


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"data": {"sets": ["generated", "none"]}}, "none is no prepared set"),
        ({"data": {"hold_out": {"generated": 7}}}, "cannot hold 7 people out"),
        ({"data": {"verification": ["generated"]}}, "holds no pairs"),
        ({"batch": {"people": 5}}, "does not fit the 4 people that train: Expected `people`"),
        ({"start": {"frozen_until": "block_99"}}, "name a layer of the backbone"),
        ({"start": {"preset": "nonesuch"}}, "there is no preset 'nonesuch'"),
        ({"start": {"checkpoint": "nonesuch"}}, "there is no file or folder nonesuch; check"),
        ({"start": {"checkpoint": str(HERE)}}, "tests/training holds no checkpoint; give another"),
        ({"start": {"checkpoint": __file__}}, "test_run_faults.py is damaged"),
        ({"teacher": "xcos-mobilefacenet-2"}, "is an xCos preset"),
        ({"optimizers": {"head": {"name": "AdamX"}}}, "no optimizer 'AdamX'; did you mean 'Adam"),
        ({"optimizers": {"head": {"betta_1": 0.5}}}, "takes no 'betta_1'; did you mean 'beta_1'"),
        ({"loss": {"sample": 3}}, "sample must be at least the 4 people"),
        ({"loss": {"heads": "cosface"}}, "unknown key `loss.heads`; did you mean `head`?"),
    ],
)
@pytest.mark.usefixtures("presets_loaded_once")
def test_a_bad_configuration_writes_nothing(sets, tmp_path, capsys, changes, sentence):
    config = write_config(tmp_path / "run.yaml", changes)
    assert sentence in refused(capsys, train_command(config, sets, tmp_path / "out"))
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("presets_loaded_once")
def test_a_place_that_cannot_be(sets, tmp_path, capsys):
    config = write_config(tmp_path / "run.yaml")
    out = tmp_path / "file" / "out"
    out.parent.write_text("x")
    sentence = refused(capsys, train_command(config, sets, out))
    assert "cannot be written (Not a directory)" in sentence
    sentence = refused(capsys, train_command(config, tmp_path, tmp_path / "out"))
    assert "is no prepared set; make one with `xcos prepare`" in sentence
    sentence = refused(capsys, train_command(tmp_path / "no.yaml", sets, tmp_path / "out"))
    assert "there is no configuration" in sentence and "no.yaml" in sentence
    assert not (tmp_path / "out").exists()


@pytest.mark.usefixtures("presets_loaded_once")
def test_a_full_disk_and_then_another_run_configuration_or_other_faces(
    drawn, sets, tmp_path, capsys, monkeypatch
):
    usage = namedtuple("Usage", "total used free")(10**12, 10**12 - 10**6, 10**6)
    monkeypatch.setattr(checkpoints.shutil, "disk_usage", lambda path: usage)
    words = train_command(write_config(tmp_path / "run.yaml"), sets, tmp_path / "out")
    assert "has 1 MB left, and 20 checkpoints of 2 MB and the best need " in refused(capsys, words)

    def content():
        return {x: x.read_bytes() for x in (tmp_path / "out").rglob("*") if x.is_file()}

    before = content()
    with only_writer(tmp_path / "out", "xcos train"):
        assert "another `xcos train` is writing to" in refused(capsys, words)
    assert {path.name for path in before} == {"config.yaml", "run.json"}
    other = write_config(tmp_path / "other.yaml", {"seed": 2})
    words = train_command(other, sets, tmp_path / "out")
    sentence = "config.yaml differs from the configuration in seed; start a new folder"
    assert sentence in refused(capsys, words)
    other_sets = tmp_path / "other"
    shutil.copytree(drawn / "faces", tmp_path / "faces")
    shutil.rmtree(tmp_path / "faces" / "person-06")
    prepare(tmp_path / "faces", other_sets / "generated")
    config = write_config(tmp_path / "run.yaml")
    words = train_command(config, other_sets, tmp_path / "out")
    assert "is of a run on other faces (generated); give the sets" in refused(capsys, words)
    assert content() == before


@pytest.mark.usefixtures("presets_loaded_once")
def test_pairs_that_make_no_ten_folds(drawn, sets, tmp_path, capsys):
    images = [path.read_bytes() for path in sorted((drawn / "faces").glob("*/0[0123].png"))]
    (tmp_path / "few.bin").write_bytes(pickle.dumps((images, [True] * 14)))
    prepare(tmp_path / "few.bin", tmp_path / "few")
    data = {"verification": [str(tmp_path / "few")]}
    config = write_config(tmp_path / "run.yaml", {"data": data})
    sentence = refused(capsys, train_command(config, sets, tmp_path / "out"))
    assert "few lacks genuine or impostor pairs in one of the 10 folds" in sentence
    assert not (tmp_path / "out").exists()


@pytest.fixture(scope="module")
def single(drawn, tmp_path_factory):
    """Seven people with one photo each, and one whose photo is damaged, as the set "generated"."""
    folder = tmp_path_factory.mktemp("single")
    for path in (drawn / "faces").glob("*/00.png"):
        photo = folder / "faces" / path.parent.name / path.name
        photo.parent.mkdir(parents=True)
        shutil.copyfile(path, photo)
    (folder / "faces" / "nobody").mkdir()
    (folder / "faces" / "nobody" / "00.png").write_bytes(b"damaged")
    prepare(folder / "faces", folder / "prepared" / "generated")
    return folder / "prepared"


IMPOSTORS = {"loss": {"balance": None}, "batch": {"genuine": 0.0}}


@pytest.mark.parametrize(
    ("of_single", "held", "changes", "sentence"),
    [
        (
            True,
            0,
            {},
            "batch: genuine 0.25 needs genuine pairs, and of the 7 people that train none",
        ),
        (True, 3, IMPOSTORS, "leaves 3 photos of 3 people to validate on, which make no genuine"),
        (True, 0, IMPOSTORS, "there are 0; give more photos, or leave P as it is by finish: corr"),
        (False, 1, {}, "leaves 6 photos of 1 person to validate on, which make no impostor pair"),
    ],
)
@pytest.mark.usefixtures("presets_loaded_once")
def test_people_who_cannot_make_the_pairs(
    sets, single, tmp_path, capsys, of_single, held, changes, sentence
):
    changes = {**changes, "data": {"hold_out": {"generated": held}}}
    config = write_config(tmp_path / "run.yaml", changes)
    words = train_command(config, single if of_single else sets, tmp_path / "out")
    assert sentence in refused(capsys, words)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_nobody_is_held_out_and_what_fails_after_training_keeps_the_weights(
    single, tmp_path, capsys, monkeypatch
):
    changes = {
        **IMPOSTORS,
        "data": {"hold_out": {"generated": 0}},
        "steps": 1,
        "finish": {"correlation_pairs": 0},
    }
    words = train_command(write_config(tmp_path / "run.yaml", changes), single, tmp_path / "out")

    def fail(*args):
        raise XcosError("the preset cannot be written; free some space")

    with monkeypatch.context() as patch:
        patch.setattr("xcos_tf.training.run.save_preset", fail)
        assert main(words) == 2
    captured = capsys.readouterr()
    assert captured.out == (
        "nobody is held out (data: hold_out): there is no validation, the last weights become the "
        "preset, and it has no thresholds\n"
    )
    assert "free some space; the weights are in " in captured.err.splitlines()[-1]
    assert "checkpoints, from which the same command goes on" in captured.err.splitlines()[-1]
    assert main(words) == 0
    assert load_preset(tmp_path / "out" / "preset").config["training"]["people"] == 7


@pytest.mark.usefixtures("presets_loaded_once")
def test_a_face_of_another_size(drawn, tmp_path, capsys, monkeypatch):
    faces, sets = tmp_path / "faces", tmp_path / "prepared"
    shutil.copytree(drawn / "faces", faces)
    wide = faces / "person-05" / "03.png"
    Image.open(wide).resize((120, 112)).save(wide)
    monkeypatch.setattr(writer, "usual_size", lambda images: None)  # as before sizes were checked
    prepare(faces, sets / "generated")
    config = write_config(tmp_path / "run.yaml")
    sentence = refused(capsys, train_command(config, sets, tmp_path / "out"))
    assert sentence == (
        f"person-05/03.png in {sets / 'generated'} is 120×112 pixels and the models take 112×112; "
        "prepare faces that `xcos align` made"
    )
    assert not (tmp_path / "out").exists()
