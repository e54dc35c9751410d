"""`xcos fit-whatif`, on faces of noise and a small preset; `xcos verify` and `explain` by it."""

import functools
import json
import shutil

import numpy as np
import pytest
from PIL import Image
from tensorflow import keras

from tests.cli.test_fit_correlation import SMALL, write_person
from tests.cli.test_verify import OBAMA, OBAMA2
from xcos_tf.cli.main import main
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.records.writer import open_source, prepare
from xcos_tf.errors import XcosError
from xcos_tf.explain.whatif import covering, fitting
from xcos_tf.models.builder import build_network
from xcos_tf.models.presets import load_preset, save_preset
from xcos_tf.runtime.model_file import ModelFile
from xcos_tf.runtime.whatif import load_whatif
from xcos_tf.verifier import Verifier

HELD = {"config": {"seed": 1, "data": {"hold_out": {"people": 2}}}}


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """Prepared sets `people` and `alone`; presets `fitted`, by the command, `held` and `plain`."""
    room = tmp_path_factory.mktemp("whatif")
    for name, people in (("people", 6), ("alone", 1)):
        for person in range(people):
            write_person(room / "photos" / name / str(person), 3, 10 + person, 32)
        prepare(open_source(room / "photos" / name), room / name, 1)
    keras.utils.set_random_seed(7)
    xcos = {"xcos": {"channels": 4, "batch_norm": False}}
    plain = {"embedding_head": {"kind": "depthwise", "dimension": 16}}
    for name, rest, facts in (("held", xcos, {"training": HELD}), ("plain", plain, {})):
        model = {"backbone": SMALL, **rest}
        config = {"name": name, "model": model, "thresholds": {"learned": {"0.001": 0.4}}, **facts}
        network = build_network(model)
        if network.explains:  # so that its features are of the size that training gives
            kernel = network.head.weights[0]
            kernel.assign(kernel * 1e7)
        save_preset(room / name, config, network)
    shutil.copytree(room / "held", room / "fitted")
    with pytest.MonkeyPatch.context() as patch:
        few_steps(patch)
        assert fit(room, "fitted", "people", "--faces", 9) == 0
    return room


def few_steps(patch):
    quick = functools.partial(fitting.fit_covered_grids, steps=2)
    patch.setattr(fitting, "fit_covered_grids", quick)


def fit(room, *options):
    """Run the command; names of what is in the room stand for their paths."""
    return main(
        ["fit-whatif", *(str(room / x) if (room / str(x)).exists() else str(x) for x in options)]
    )


def test_the_file_is_one_more_of_the_preset(room):
    files = {path.name for path in (room / "fitted").iterdir()}
    assert files == {"config.json", "weights.safetensors", "whatif.tflite"}
    assert not list(room.glob(".*"))
    about = ModelFile.read(room / "fitted" / "whatif.tflite", "whatif").metadata
    found = about["fitted"].pop("held_out")
    assert found["faces"] == 6 and -1 <= found["rank_correlation"] <= 1
    assert about["fitted"] == {
        "sets": [
            {"name": "people", "fingerprint": PreparedSet(room / "people").source["fingerprint"]}
        ],
        "people": 4,
        "faces": 9,
        "seed": 0,
    }
    assert about["preset_sha256"] == load_preset(room / "fitted").config["weights"]["sha256"]
    assert about["outputs"][0]["shape"] == [None, 4, 2, 2, 4]


def test_the_file_gives_what_the_fitted_model_gives(room, monkeypatch):
    fitted = []

    def keep(*args, **options):
        fitted.append(original(*args, **{**options, "steps": 2}))
        return fitted[0]

    original = fitting.fit_covered_grids
    monkeypatch.setattr(fitting, "fit_covered_grids", keep)
    shutil.copytree(room / "held", room / "kept")
    assert fit(room, "kept", "people", "--faces", 5) == 0
    verifier = Verifier.from_preset(room / "kept")
    people = sorted((room / "photos/people").glob("*/0.png"))
    faces = np.stack([np.asarray(Image.open(path)) for path in people])
    grids = verifier.embed(faces).reshape(2, 3, 2, 2, 4)
    drops = verifier.score_drops(*grids)
    whole = verifier.compare_pairs(*grids)
    for order, found in zip((1, -1), drops, strict=True):
        first, second = grids[::order]
        covered = fitted[0](first).numpy().reshape(-1, 2, 2, 4)
        pair = (covered, np.repeat(second, 4, axis=0))[::order]
        scores = verifier.compare_pairs(*pair).reshape(3, 4)
        np.testing.assert_allclose(found.reshape(3, 4), whole[:, None] - scores, atol=2e-3)
    assert np.abs(drops[0]).max() > 1e-4


def test_verify_says_what_decided(capsys, tmp_path):
    assert main(["verify", OBAMA, OBAMA2, "--explain", str(tmp_path / "x.png"), "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert np.shape(answer["drops_a"]) == np.shape(answer["drops_b"]) == (7, 7)
    assert answer["sentence"].startswith("decided by: ")
    assert main(["verify", OBAMA, OBAMA2]) == 0
    assert answer["sentence"] in capsys.readouterr().out
    assert Image.open(tmp_path / "x.png").size == (1640, 1564)


def test_nothing_is_guessed_that_nobody_asks_for(monkeypatch):
    monkeypatch.setattr("xcos_tf.verifier.load_whatif", None)
    assert Verifier.from_preset().verify(OBAMA, OBAMA2).same


def test_explain_draws_it_and_says_what_it_took(room, tmp_path, capsys):
    options = ["--method", "xcos-whatif", "--out", str(tmp_path / "x.png")]
    assert main(["explain", OBAMA, OBAMA2, *options]) == 0
    out = capsys.readouterr().out
    assert "xcos-whatif of xcos-mobilefacenet-2: " in out and "2 faces forward" in out


def test_stopped_and_started_again(room, monkeypatch, capsys):
    few_steps(monkeypatch)
    monkeypatch.setattr(covering, "BLOCK", 4)
    shutil.copytree(room / "held", room / "stopped")
    removed, calls = covering.removed, []

    def stop(*args):
        calls.append(args)
        if len(calls) == 6:
            raise KeyboardInterrupt
        return removed(*args)

    monkeypatch.setattr(covering, "removed", stop)
    assert fit(room, "stopped", "people", "--faces", 9) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    assert not (room / "stopped/whatif.tflite").exists()
    assert [x.name for x in (room / ".stopped.whatif/training").iterdir()] == ["0000000.npz"]
    assert fit(room, "stopped", "people", "--faces", 9, "--seed", 5) == 2
    assert "is of an unfinished run with other faces or another preset" in capsys.readouterr().err
    assert fit(room, "stopped", "people", "--faces", 9) == 0
    assert len(calls) == 6 + 5 + 6  # the first block was kept; six faces are held out
    assert not list(room.glob(".*"))
    again, whole = (room / x / "whatif.tflite" for x in ("stopped", "fitted"))
    assert again.read_bytes() == whole.read_bytes()


def test_a_file_of_other_weights_is_refused(room):
    config = load_preset(room / "fitted").config
    assert load_whatif(room / "fitted", config, (2, 2, 4)).outputs == {"covered": (4, 2, 2, 4)}
    with pytest.raises(XcosError, match="of other weights than the preset 'held' has now; make it"):
        load_whatif(room / "fitted", config, (7, 7, 32))
    config = {**config, "weights": {"sha256": "other"}}
    with pytest.raises(XcosError, match="of other weights than the preset 'held' has now; make it"):
        load_whatif(room / "fitted", config, (2, 2, 4))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (("held", "people", "--faces", 1), "--faces 1 is under 2, and two are the fewest"),
        (("held", "people", "--seed", -1), "--seed -1 is under 0; give 0 or more"),
        (("held", "nowhere"), "is no prepared set; make one with `xcos prepare`"),
        (("nonesuch", "people"), "there is no preset 'nonesuch'"),
        (("plain", "people"), "has no grid whose cells could be covered; give an xCos preset"),
        (("held", "alone"), "have faces of 1 person to learn from, and two are the fewest"),
        (("xcos-mobilefacenet-2", "people"), "is 32×32 pixels and the models take 112×112"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(room, capsys, options, sentence):
    assert fit(room, *options) == 2
    captured = capsys.readouterr()
    assert captured.out == "" and sentence in captured.err.splitlines()[-1]


def test_people_held_out_are_told_by_all_sets_of_the_training(room, capsys):
    config = {**load_preset(room / "held").config, "name": "both"}
    recorded = {"seed": 1, "data": {"hold_out": {"people": 2, "others": 1}}}
    config["training"] = {"config": recorded}
    save_preset(room / "both", config, load_preset(room / "held").network)
    assert fit(room, "both", "people") == 2
    assert "can be told from all of its sets together; give others too" in capsys.readouterr().err
