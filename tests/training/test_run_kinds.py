"""`xcos train` on other models, precisions and data than the shipped preset's."""

import numpy as np
import pytest

from tests.training.running import checkpoint, train_command, write_config
from xcos_tf.cli.main import main
from xcos_tf.models.network import FaceEmbedder
from xcos_tf.models.presets import load_preset
from xcos_tf.training.assembly import fit_context
from xcos_tf.training.monitor import MetricsTable
from xcos_tf.training.remembered import REMEMBERED_FILE, TEACHER_FILE, remembered_dataset
from xcos_tf.verifier import Verifier
from xcos_tf.yaml_text import parse_yaml, to_yaml

pytestmark = pytest.mark.slow


def train(config, sets, out):
    """Run the command to the end; returns the rows of metrics.csv."""
    assert main(train_command(config, sets, out)) == 0
    return MetricsTable(out / "metrics.csv", 10**9).rows


BASELINE = """
name: baseline
model:
  backbone: {kind: mobilefacenet, batch_norm: false}
  embedding_head: {kind: depthwise, dimension: 192, batch_norm: false}
start: {preset: mobilefacenet, frozen_until: block_14_add}
data: {sets: [generated], hold_out: {generated: 3}, verification: [lfw]}
batch: {groups: 1, people: 2, faces: 4}
loss: {identification: {weight: 1.0}, scale: 16.0, sample: 3}
optimizers:
  backbone: &slow {name: SGD, learning_rate: 0.01, momentum: 0.9, l2: 5.0e-4}
  head: *slow
  margin_head: {name: SGD, learning_rate: 0.1}
devices: {precision: mixed_bfloat16}
schedule: {drops: [2]}
checkpoint: {every: 1}
steps: 3
"""


def test_a_baseline_with_a_sample_of_the_people_in_bfloat16(sets, tmp_path):
    (tmp_path / "run.yaml").write_text(BASELINE)
    out = tmp_path / "out"
    rows = train(tmp_path / "run.yaml", sets, out)
    assert [(row["step"], row["epoch"]) for row in rows] == [(0, 0), (3, 1)]
    for row in rows:
        assert {"cosine/eer", "cosine/accuracy lfw"} <= row.keys()
        assert not any(name.startswith(("learned", "teacher")) for name in row)
    assert np.isfinite(rows[1]["loss/identification"])
    two, three = (checkpoint(out, step) for step in (2, 3))
    assert "loss_scale" not in three and {array.dtype.kind for array in three.values()} <= set("fi")
    (centres,) = (k for k, v in three.items() if k[:5] == "model" and v.shape == (4, 192))
    moved = (two[centres] != three[centres]).any(axis=1)
    assert moved.sum() == 3  # of four people two are in the batch, and one is drawn
    preset = load_preset(out / "preset")
    assert isinstance(preset.network, FaceEmbedder)
    assert {k: list(v) for k, v in preset.config["thresholds"].items()} == {"cosine": ["0.01"]}
    assert "correlation" not in preset.config
    assert preset.config["training"]["config"] == parse_yaml(BASELINE.encode(), "it")


def test_any_backbone_of_keras_trains_and_its_preset_verifies(sets, tmp_path):
    config = parse_yaml(BASELINE.encode(), "it")
    backbone = {"kind": "keras.applications.MobileNetV2", "alpha": 0.35}
    config["model"] = {"backbone": backbone, "xcos": {"channels": 4}}
    data = {"sets": ["generated"], "hold_out": {"generated": 3}}
    config |= {"steps": 1, "schedule": {}, "data": data}
    config["loss"] = {"identification": {"weight": 1.0}, "head": "cosface"}
    del config["start"], config["devices"]
    (tmp_path / "run.yaml").write_text(to_yaml(config))
    rows = train(tmp_path / "run.yaml", sets, tmp_path / "out")
    assert np.isfinite(rows[-1]["loss/identification"])
    verifier = Verifier.from_preset(tmp_path / "out/preset")
    assert verifier.config["model"]["backbone"]["kind"] == "keras"
    faces = np.random.default_rng(2).integers(0, 256, (2, 112, 112, 3), np.uint8)
    result = verifier.verify(*faces, threshold=0.5, aligned=True)
    assert result.similarity_map.shape == (4, 4)
    assert verifier.compare_pairs(*(verifier.embed(faces[:1]) for _ in "ab")) == pytest.approx(1)


def test_float16_saves_the_scale_of_its_loss(sets, tmp_path):
    changes = {"devices": {"precision": "mixed_float16"}, "steps": 3}
    out = tmp_path / "out"
    rows = train(write_config(tmp_path / "run.yaml", changes), sets, out)
    losses = [value for name, value in rows[-1].items() if name.startswith("loss/")]
    assert len(losses) == 4 and np.isfinite(losses).all()
    first, last = checkpoint(out, 1), checkpoint(out, 3)
    factor, steps = last["loss_scale"]
    assert 1 <= factor <= 2**15 and np.log2(factor).is_integer()
    assert 0 <= steps <= 3 and (factor < 2**15 or steps == 3)
    assert all(np.isfinite(array).all() for array in last.values())
    moved = {name for name in last if not np.array_equal(first[name], last[name])}
    assert "loss_scale" in moved and any(name.startswith("model/") for name in moved)
    # What becomes of it computes in float32, as any preset does.
    preset = load_preset(out / "preset")
    assert preset.network.features.compute_dtype == "float32"
    assert np.isfinite(preset.config["thresholds"]["learned"]["0.01"])


def test_a_grid_without_a_teacher_learns_to_tell_people_apart(sets, tmp_path):
    changes = {
        "teacher": None,
        "start": {"grid_head": None},
        "loss": {"learned": 0, "patched": 0},
        "optimizers": {"attention": None},
        "steps": 1,
    }
    out = tmp_path / "out"
    rows = train(write_config(tmp_path / "run.yaml", changes), sets, out)
    assert {"patched/eer", "loss/identification"} <= rows[-1].keys()
    preset = load_preset(out / "preset")
    assert "correlation" not in preset.config  # there is nobody's cosine to correlate with
    assert {"patched", "correlated", "learned"} == preset.config["thresholds"].keys()


def test_faces_are_remembered_as_the_frozen_layers_see_them(sets, tmp_path, monkeypatch):
    seen = []
    monkeypatch.setattr(
        "xcos_tf.training.run.remembered_dataset",
        lambda rows, *rest: (seen.append(rows), remembered_dataset(rows, *rest))[1],
    )
    changes = {"data": {"remember": 2}, "augmentation": {"flip": 0.5, "augment": 0.8}, "steps": 5}
    changes["model"] = {"xcos": {"context": 192}}
    changes["optimizers"] = {"context": "ridge"}
    changes["batch"] = {"near": 3.0}
    changes["loss"] = {"covering": {"weight": 1.0, "faces": 2, "pairs": 3}}
    out = tmp_path / "out"
    rows = train(write_config(tmp_path / "run.yaml", changes), sets, out)
    assert seen[0].stem.shape[:2] == (2, 8)  # faces of two steps
    assert seen[0].covered.shape[:4] == (2, 2, 7, 7)
    assert 0 < rows[-1]["loss/covering"] < 1.5 and np.isfinite(rows[-1]["loss/total"])
    assert load_preset(out / "preset").network.options["context"] == 192
    two, five = (checkpoint(out, step) for step in (2, 5))
    (conv,) = (name for name in five if name.endswith("grid_head/conv/kernel"))
    assert (two[conv] != five[conv]).any()  # it trained on after the steps that it remembers
    (context,) = (name for name in five if name.endswith("context_conv/kernel"))
    assert (two[context] != five[context]).any()  # the grid moved on, and it was fitted again
    assert not (out / REMEMBERED_FILE).exists() and (out / "preset").exists()


def test_the_context_is_fitted_to_covered_faces_and_what_the_teacher_makes_of_them_uncovered(
    sets, tmp_path, monkeypatch
):
    fitted = []
    monkeypatch.setattr(
        "xcos_tf.training.run.fit_context",
        lambda trainer, faces: (fitted.append(faces := list(faces)), fit_context(trainer, faces)),
    )
    monkeypatch.setattr("xcos_tf.training.run.CONTEXT_STEPS", 2)
    changes = {"augmentation": {"strokes": 1.0, "augment": 0.0, "blend": 0.0}, "steps": 3}
    changes["model"] = {"xcos": {"context": 192}}
    changes["optimizers"] = {"context": "ridge"}
    changes["loss"] = {"teacher_input": "original"}
    out = tmp_path / "out"
    train(write_config(tmp_path / "run.yaml", changes), sets, out)
    ((before, teacher), _), ((after, same), _) = fitted  # before the run and after it
    assert before.shape[0] == len(teacher) == 8  # faces of a step
    np.testing.assert_array_equal(before, after)
    np.testing.assert_array_equal(teacher, same)
    known = np.fromfile(out / TEACHER_FILE, np.float32).reshape(-1, 192)
    assert all((known == one).all(axis=1).any() for one in np.asarray(teacher))
    two, three = (checkpoint(out, step) for step in (2, 3))
    (context,) = (name for name in three if name.endswith("context_conv/kernel"))
    assert (two[context] != three[context]).any()  # the grid moved on, and it was fitted again


def test_a_baseline_learns_its_own_cosine_from_faces_that_are_covered(sets, tmp_path):
    config = parse_yaml(BASELINE.encode(), "it")
    del config["loss"]["sample"], config["devices"], config["steps"]
    config["teacher"] = "mobilefacenet"
    config["batch"] = {"pairs": 10, "accumulate": 2}
    config |= {"epochs": 2, "schedule": {"drops": [1.5]}}
    config["augmentation"] = {"strokes": 1.0}
    config["loss"] |= {"cosine": 1.0, "teacher_input": "original"}
    config["validation"] = {"strokes": True, "every": 1, "best_metric": "eer"}
    (tmp_path / "run.yaml").write_text(to_yaml(config))
    out = tmp_path / "out"
    rows = train(tmp_path / "run.yaml", sets, out)
    first, last = rows[0], rows[-1]
    # An epoch is 24 images, each the first of a pair: 2.4 steps; two of them end within step 5.
    assert [(row["step"], row["epoch"]) for row in rows] == [
        (step, pytest.approx(step / 2.4, abs=1e-4)) for step in range(6)
    ]
    assert "backbone 0.001 " in (out / "train.log").read_text()  # dropped after 3.6 steps, so 4
    assert {"cosine/rmse", "cosine/eer", "teacher/eer"} <= first.keys()
    assert first["cosine/rmse"] > 0.1  # the model still is the teacher, but sees less
    assert np.isfinite(last["loss/cosine"]) and last["loss/cosine"] > 0
    known = np.fromfile(out / "teacher.f32", np.float32).reshape(-1, 192)
    assert len(known) == 4 * 6
    np.testing.assert_allclose(np.linalg.norm(known, axis=1), 1, atol=1e-5)
    preset = load_preset(out / "preset")
    assert isinstance(preset.network, FaceEmbedder)
    best = min(rows, key=lambda row: row["cosine/eer"])  # the first of equals
    assert preset.config["training"]["weights_of_step"] == best["step"]
