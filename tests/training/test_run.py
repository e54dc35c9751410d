"""`xcos train` to the end, on drawn faces, with the real MobileFaceNet."""

import json
import shutil
import signal
import time

import numpy as np
import pytest

from tests.training.running import (
    BEST_BY,
    STEPS,
    assert_same,
    checkpoint,
    in_another_process,
    succeed,
    train_command,
    write_config,
)
from xcos_tf.cli.main import main
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.models.presets import load_preset
from xcos_tf.models.weights import read_arrays
from xcos_tf.training import assembly, checkpoints
from xcos_tf.training.checkpoints import Checkpoints
from xcos_tf.training.monitor import MetricsTable
from xcos_tf.training.validation import Validation
from xcos_tf.verifier import Verifier
from xcos_tf.yaml_text import parse_yaml, to_yaml

pytestmark = pytest.mark.slow

SCORES = ("patched", "correlated", "learned")
VALIDATED = (0, 9, 18)
KEY = f"{BEST_BY}/tar_at_far_1e-3"


def rows_of(run):
    return MetricsTable(run / "metrics.csv", STEPS).rows


def validations(run):
    """Return what metrics.csv says that does not depend on time or on where a run was taken up."""
    return [
        {k: v for k, v in row.items() if k != "images_per_second" and not k.startswith("loss/")}
        for row in rows_of(run)
    ]


# The first one here, as it has work to do while what it is compared with is made.
def test_killed_interrupted_and_told_to_stop(started, sets, tmp_path, chance, request):
    """It ends like the run that was left alone."""
    out = tmp_path / "out"
    words = train_command(started[0] / "run.yaml", sets, out)
    folder = Checkpoints(out / "checkpoints")
    for number in (signal.SIGKILL, signal.SIGINT, signal.SIGTERM):
        last = max(folder.steps(), default=0)
        wanted = last + chance.randint(1, 3)
        process = in_another_process(f"xcos({words})")
        try:
            while max(folder.steps(), default=0) < wanted:
                assert process.poll() is None, process.stderr.read()
                time.sleep(0.001)
            time.sleep(0.1 * chance.random())
            process.send_signal(number)
            said, errors = process.communicate(timeout=300)
        finally:
            process.kill()
        made = folder.steps()[-1]
        assert wanted <= made < STEPS
        if number == signal.SIGKILL:
            assert process.returncode == -number
        elif number == signal.SIGINT:
            assert process.returncode == 130 and errors.endswith("xcos train: interrupted\n"), (
                errors
            )
    assert process.returncode == 143, errors
    stopped = f"stopped after {made} of {STEPS} steps; the same command goes on from there\n"
    assert said == stopped
    assert succeed(in_another_process(f"xcos({words})")) == f"wrote {out / 'preset'}\n"
    alone = request.getfixturevalue("alone")  # it ran at the same time
    assert_same(checkpoint(out, STEPS), checkpoint(alone / "alone", STEPS))
    assert_same(checkpoint(out), checkpoint(alone / "alone"))
    assert validations(out) == validations(alone / "alone")
    for name in ("weights.safetensors", "config.json"):
        ours, theirs = ((run / "preset" / name).read_bytes() for run in (out, alone / "alone"))
        assert ours == theirs
    assert len(json.loads((out / "run.json").read_text())["resumes"]) == 3
    log = (out / "train.log").read_text()
    assert log.count("resumed at step") == 3 and f"stopped at step {made}/{STEPS}" in log
    assert not list((out / "checkpoints").glob(".*"))


@pytest.fixture(scope="module")
def preset(alone):
    return load_preset(alone / "alone" / "preset")


def test_the_preset_carries_its_facts(alone, sets, preset):
    config = preset.config
    assert (config["name"], config["licence"]) == ("smoke", "none")
    assert set(config["thresholds"]) == set(SCORES)
    # 3 people with 6 faces each make 108 impostor pairs, which show an FMR of 1e-2, no lower one.
    assert all(set(rates) == {"0.01"} for rates in config["thresholds"].values())
    facts, run = config["training"], alone / "alone"
    assert facts["config"] == parse_yaml((run / "config.yaml").read_bytes(), run)
    assert facts["sets"] == {"generated": PreparedSet(sets / "generated").source}
    assert (facts["people"], facts["images"], facts["steps"]) == (4, 24, STEPS)
    kinds = ("auc", "eer", "tar_at_far_1e-3", "rmse")
    teacher = {f"teacher/{kind}" for kind in kinds[:3]}
    assert facts["validation"].keys() == teacher | {f"{s}/{k}" for s in SCORES for k in kinds}
    assert (config["correlation"]["pairs"], config["correlation"]["genuine"]) == (30, 0.5)
    layer = preset.network.comparisons["correlated"].get_layer("correlated_attention")
    raw = np.asarray(layer.correlation)
    np.testing.assert_allclose(config["correlation"]["raw"], raw, atol=1e-4)
    np.testing.assert_allclose(config["correlation"]["normalised"], raw / raw.sum(), atol=1e-4)
    assert np.abs(raw).max() <= 1 and raw.std() > 0
    verifier = Verifier.from_preset(run / "preset")
    assert verifier.threshold("correlated", 1e-2) == config["thresholds"]["correlated"]["0.01"]


def test_the_folder_tells_the_whole_run(alone, sets):
    run = alone / "alone"
    assert {path.name for path in run.iterdir()} == {
        "checkpoints",
        "config.yaml",
        "metrics.csv",
        "preset",
        "run.json",
        "tensorboard",
        "train.log",
    }
    rows = rows_of(run)
    assert [row["step"] for row in rows] == list(VALIDATED)
    for row in rows:
        assert {"learned/eer", "patched/rmse", "teacher/auc"} <= row.keys()
        assert ("loss/learned" in row) == (row["step"] > 0)
    record = json.loads((run / "run.json").read_text())
    assert record["seed"] == 1 and record["resumes"] == []
    assert record["sets"] == {"generated": PreparedSet(sets / "generated").source["fingerprint"]}
    log = (run / "train.log").read_text()
    assert "started" in log and f"step {STEPS}/{STEPS}, validation: " in log
    _, events = sorted((run / "tensorboard").iterdir())  # after the mark of the start
    content = events.read_bytes()
    assert b"validation/learned/eer" in content and b"impostor pairs" in content


def test_two_devices_agree_with_one(alone):
    assert_same(checkpoint(alone / "two", 6), checkpoint(alone / "alone", 6), 1e-5)
    for one, two in zip(rows_of(alone / "alone"), rows_of(alone / "two"), strict=True):
        assert one["learned/rmse"] == pytest.approx(two["learned/rmse"], abs=1e-4)


@pytest.fixture(scope="module")
def judged(sets, tmp_path_factory):
    """A run that was killed in the midst of two validations, and told that step 2 is the best."""
    room = tmp_path_factory.mktemp("judged")
    changes = {
        "steps": 4,
        "validation": {"every": 2},
        "data": {"verification": ["lfw"]},
        "finish": {"correlation_pairs": 0},
    }
    words = train_command(write_config(room / "run.yaml", changes), sets, room / "out")
    values, measure = {0: 0.5, 2: 0.9, 4: 0.8}, Validation.measure

    def judge(validation, scores):
        step = int(validation._trainer.optimizer.iterations)
        return {**measure(validation, scores), KEY: values[step]}

    # Killed when step 0 was in metrics.csv and its checkpoint was not there yet.
    (room / "out").mkdir()
    MetricsTable(room / "out" / "metrics.csv", 0).add({"step": 0, KEY: values[0]})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Validation, "measure", judge)
        replace_file = checkpoints.replace_file

        def replace_until_step_2(path, write):
            if path.name == "step-000000002.safetensors":
                raise KeyboardInterrupt
            replace_file(path, write)

        with pytest.MonkeyPatch.context() as kill:
            kill.setattr(checkpoints, "replace_file", replace_until_step_2)
            assert main(words) == 130
        assert main(words) == 0
    return room / "out"


def test_the_best_by_validation_becomes_the_preset(judged):
    assert [row["step"] for row in rows_of(judged)] == [0, 2, 4]
    assert load_preset(judged / "preset").config["training"]["weights_of_step"] == 2
    assert_same(checkpoint(judged), checkpoint(judged, 2))
    assert (judged / "checkpoints/step-000000000.safetensors").exists()  # it was the best once


def test_the_last_becomes_the_preset_where_that_is_asked_for(judged, sets, tmp_path):
    out = tmp_path / "out"
    shutil.copytree(judged, out, ignore=shutil.ignore_patterns("preset"))
    config = parse_yaml((out / "config.yaml").read_bytes(), out)
    config["finish"]["weights"] = "last"
    (tmp_path / "run.yaml").write_text(to_yaml(config))
    assert main(train_command(tmp_path / "run.yaml", sets, out)) == 0
    assert load_preset(out / "preset").config["training"]["weights_of_step"] == 4


def test_what_is_said_after_nan_can_be_done(judged, sets, tmp_path, capsys, monkeypatch):
    out, config = tmp_path / "out", tmp_path / "run.yaml"
    changes = parse_yaml((judged / "config.yaml").read_bytes(), judged)
    changes |= {"steps": 3, "name": "again"}
    changes["start"]["checkpoint"] = str(judged)
    changes["optimizers"]["attention"]["learning_rate"] = 1e3
    config.write_text(to_yaml(changes))
    build = assembly.build_schedule
    with monkeypatch.context() as patch:  # what blows up at once
        patch.setattr(
            assembly,
            "build_schedule",
            lambda config, peak, *more: build(config, peak * (1e27 if peak == 1e3 else 1), *more),
        )
        assert main(train_command(config, sets, out)) == 2
    captured = capsys.readouterr()
    assert "loss became nan at step 2" in captured.err
    for part in (
        "step-000000000.safetensors: remove step-000000001.safetensors, which no good step has ",
        "give each part a lower `learning_rate` and the same command again, or `optimizers: {clip",
        f'`start: {{checkpoint: "{out}"}}` and a new folder',
    ):
        assert part in captured.err
    first, last = checkpoint(out, 0), checkpoint(judged, 4)
    taken = {name for name in first if name.startswith("model/")}
    assert_same({x: first[x] for x in taken}, {x: last[x] for x in taken})

    (out / "checkpoints/step-000000001.safetensors").unlink()
    changes["optimizers"]["attention"]["learning_rate"] = 1e-3
    changes["steps"] = 2
    config.write_text(to_yaml(changes))
    assert main(train_command(config, sets, out)) == 0
    said = capsys.readouterr().out.splitlines()
    assert "from step 0 on, steps is 2 instead of 3" in said
    noted = json.loads((out / "run.json").read_text())["changes"]
    assert [(x["key"], x["from"], x["to"], x["step"]) for x in noted] == [
        ("optimizers.attention.learning_rate", 1e3, 1e-3, 0),
        ("steps", 3, 2, 0),
    ]
    changes["steps"] = 1
    config.write_text(to_yaml(changes))
    assert main(train_command(config, sets, out)) == 2
    assert "has made 2 steps already, and its length would be 1" in capsys.readouterr().err


def test_pairs_of_a_verification_set_are_measured(judged):
    scores = {f"{score}/accuracy lfw" for score in SCORES}
    for row in rows_of(judged):
        names = {name for name in row if name.endswith(" lfw")}
        assert names == scores - {"correlated/accuracy lfw"}
        assert all(0.5 <= row[name] <= 1 for name in names)
    assert scores <= load_preset(judged / "preset").config["training"]["validation"].keys()


def test_only_the_end_of_the_backbone_is_trained(judged):
    start = read_arrays(load_preset("mobilefacenet").network)
    preset = load_preset(judged / "preset")
    end = read_arrays(preset.network)
    changed = {
        path.split("/")[1]
        for path, value in start.items()
        if path.startswith("backbone/") and not np.array_equal(value, end[f"grid/{path}"])
    }
    assert changed == {"feature_conv", "feature_conv_prelu"}


def test_a_finished_run_stays_as_it_is(judged, sets, capsys):
    before = (judged / "preset/config.json").stat()
    config = judged.parent / "run.yaml"
    assert main(train_command(config, sets, judged)) == 0
    assert "is finished; give another folder" in capsys.readouterr().out
    assert (judged / "preset/config.json").stat() == before
