"""`xcos fit-correlation`, on faces of noise: a person's are alike, two people's are not."""

import functools
import io
import json
import math
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from safetensors.numpy import load_file
from tensorflow import keras

from xcos_tf.cli.main import main
from xcos_tf.data.face_set import join_sets
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.records.writer import open_source, prepare
from xcos_tf.models.builder import build_network
from xcos_tf.models.presets import load_preset, save_preset
from xcos_tf.training import correlation_preset
from xcos_tf.training.correlation import StreamingCorrelation, fit_correlation
from xcos_tf.training.pairs import pair_sampler
from xcos_tf.verifier import Verifier

PHOTO = str(Path(__file__).parents[1] / "photos/obama.jpg")
P = "correlated/correlated_attention/correlation"
SMALL = {"kind": "mobilefacenet", "batch_norm": False, "input_size": 32}


def write_person(folder, count, seed, side):
    random = np.random.default_rng(seed)
    person = random.uniform(0, 255, (8, 8, 3))
    folder.mkdir(parents=True)
    for number in range(count):
        face = np.clip(person + random.normal(0, 40, person.shape), 0, 255).astype(np.uint8)
        Image.fromarray(face).resize((side, side)).save(folder / f"{number}.png")


@pytest.fixture(scope="module")
def room(tmp_path_factory):
    """Prepared sets a, b, held and more, and small presets of untrained models."""
    room = tmp_path_factory.mktemp("correlation")
    sets = {
        "a": ((4, 4, 3, 1), 112),
        "b": ((2, 3), 112),
        "held": ((5, 5, 5, 5), 112),
        "small": ((4, 4, 4, 4), 32),
        "alone": ((4,), 112),
        "singles": ((1, 1, 1), 112),
    }
    for number, (name, (counts, side)) in enumerate(sets.items()):
        for person, count in enumerate(counts):
            path = room / "photos" / name / str(person)
            write_person(path, count, 100 * number + person, side)
        prepare(open_source(room / "photos" / name), room / name, 2)
    stream = io.BytesIO()
    Image.new("RGB", (112, 112)).save(stream, "PNG")
    (room / "pairs.bin").write_bytes(pickle.dumps(([stream.getvalue()] * 2, [True])))
    prepare(open_source(room / "pairs.bin"), room / "pairs", 1)
    prepare(open_source(room / "photos" / "a"), room / "torn", 1)
    shard = next((room / "torn").glob("*.tfrecord"))
    shard.write_bytes(shard.read_bytes()[:1000])
    keras.utils.set_random_seed(7)
    head = {"embedding_head": {"kind": "depthwise", "dimension": 16}}
    xcos = {"xcos": {"channels": 4, "batch_norm": False}}
    patched = {"xcos": {**xcos["xcos"], "attentions": ["patched"]}}
    for name, rest in (("small-teacher", head), ("small-xcos", xcos), ("small-patched", patched)):
        model = {"backbone": SMALL, **rest}
        config = {"name": name, "model": model, "thresholds": {"correlated": {"0.01": 0.4}}}
        save_preset(room / name, config, build_network(model))
    (room / "file").write_text("x")
    return room


def fit(room, *options):
    """Run the command; names of what is in the room stand for their paths."""
    options = [str(room / x) if (room / str(x)).exists() else str(x) for x in options]
    return main(["fit-correlation", *options])


@pytest.mark.slow
def test_the_shipped_preset(room, tmp_path, capsys):
    out = tmp_path / "new" / "preset"
    options = ["xcos-mobilefacenet-2", "a", "b", "--out", out, "--pairs", 100, "--seed", 3]
    assert fit(room, *options, "--thresholds-set", "held") == 0
    captured = capsys.readouterr()
    first, *_, thresholds, last = captured.out.splitlines()
    assert first.startswith("100 pairs (50.0 % genuine) of 5 people: correlations from ")
    assert thresholds.endswith(" at FMR 0.01 (150 impostor pairs of 4 people)")
    assert last == f"preset: {out}"
    assert "100/100" in captured.err
    assert {x.name for x in out.iterdir()} == {
        "config.json",
        "weights.safetensors",
        "correlation.png",
    }
    assert [x.name for x in out.parent.iterdir()] == ["preset"]
    assert Image.open(out / "correlation.png").size == (1380, 720)

    old, new = load_preset("xcos-mobilefacenet-2"), load_preset(out)
    facts = new.config["correlation"]
    maps = {name: np.array(facts.pop(name)) for name in ("raw", "normalised")}
    sets = [PreparedSet(room / name) for name in ("a", "b", "held")]
    names = [{"name": x.folder.name, "fingerprint": x.source["fingerprint"]} for x in sets]
    sha256 = load_preset("mobilefacenet").config["weights"]["sha256"]
    assert facts == {
        "pairs": 100,
        "genuine": 0.5,
        "seed": 3,
        "teacher": {"name": "mobilefacenet", "sha256": sha256},
        "sets": names[:2],
        "thresholds": {**names[2], "people": 4, "impostor_pairs": 150},
    }
    raw = expected_correlation(sets[:2], seed=3, pairs=100)
    np.testing.assert_allclose(maps["raw"], raw, atol=1e-3)
    np.testing.assert_allclose(maps["normalised"], raw / raw.sum(), atol=1e-4)
    weights = load_file(out / "weights.safetensors")
    np.testing.assert_allclose(weights[P], maps["raw"], atol=5.1e-5)
    verifier = Verifier.from_preset(out)
    grid = np.ones((1, 7, 7, 32), np.float32)
    weighed = verifier.explain_pairs(grid, grid, "correlated")["attention_map"][0]
    np.testing.assert_allclose(weighed, maps["normalised"], atol=5.1e-6)

    # Nothing else is new, except that what was measured by the old P is gone.
    theirs = load_file("xcos_tf/presets/xcos-mobilefacenet-2/weights.safetensors")
    assert all(np.array_equal(weights[k], v) for k, v in theirs.items() if k != P)
    assert list(new.config["thresholds"]) == list(old.config["thresholds"])
    for score in ("patched", "learned"):
        assert new.config["thresholds"][score] == old.config["thresholds"][score]
    assert list(new.config["thresholds"]["correlated"]) == ["0.01"]
    kept = {k: v for k, v in old.config["training"]["validation"].items() if k[:4] != "corr"}
    assert new.config["training"] == {**old.config["training"], "validation": kept}
    assert len(kept) == len(old.config["training"]["validation"]) - 4


def expected_correlation(sets, seed, pairs):
    """Return p by NumPy, all pairs at once."""
    faces = join_sets(sets)
    faces = faces.select(np.bincount(faces.labels) > 1)
    sampler, chosen = pair_sampler(faces.labels, seed=seed), np.empty((2, 0), int)
    for step in range(math.ceil(pairs / sampler.pairs)):
        drawn = sampler.draw(step)
        wanted = min(sampler.pairs, pairs - chosen.shape[1])
        kept = np.arange(wanted) * sampler.pairs // wanted
        ends = drawn.faces[[drawn.first[kept], drawn.second[kept]]]
        chosen = np.concatenate([chosen, ends], axis=1)
    images = faces.read(np.arange(len(faces)))
    images = np.stack([np.asarray(Image.open(io.BytesIO(image))) for image in images])
    cosines = []
    for name in ("xcos-mobilefacenet-2", "mobilefacenet"):
        values = Verifier.from_preset(name).embed(images).astype(np.float64)
        values /= np.linalg.norm(values, axis=-1, keepdims=True)
        cosines.append((values[chosen[0]] * values[chosen[1]]).sum(axis=-1))
    cells = cosines[0].reshape(pairs, -1).T
    return np.reshape([np.corrcoef(cell, cosines[1])[0, 1] for cell in cells], (7, 7))


SMALL_RUN = ("small-xcos", "small", "--teacher", "small-teacher", "--pairs", 500)


def test_stopped_and_started_again(room, tmp_path, monkeypatch, capsys):
    often = functools.partial(fit_correlation, save_every=1)
    monkeypatch.setattr(correlation_preset, "fit_correlation", often)
    whole, out = tmp_path / "whole", tmp_path / "out"
    assert fit(room, *SMALL_RUN, "--out", whole) == 0
    left_out = (
        "thresholds were of the old P and are left out; measure new ones with --thresholds-set"
    )
    assert left_out in capsys.readouterr().out
    update, updates = StreamingCorrelation.update, []

    def stop(stream, *block):
        updates.append(block)
        if len(updates) == 3:
            raise KeyboardInterrupt
        update(stream, *block)

    monkeypatch.setattr(StreamingCorrelation, "update", stop)
    assert fit(room, *SMALL_RUN, "--out", out) == 130
    assert "the same command goes on from here" in capsys.readouterr().err
    assert {x.name for x in tmp_path.iterdir()} == {"whole", ".out.correlation.npz"}
    assert fit(room, *SMALL_RUN, "--out", out, "--seed", 5) == 2
    assert "of an unfinished measurement with other pairs" in capsys.readouterr().err
    assert fit(room, *SMALL_RUN, "--out", out) == 0
    for name in ("weights.safetensors", "config.json", "correlation.png"):
        assert (out / name).read_bytes() == (whole / name).read_bytes()
    assert {x.name for x in tmp_path.iterdir()} == {"whole", "out"}
    assert "correlated" not in json.loads((out / "config.json").read_text())["thresholds"]
    options = ["--preset", str(out), "--attention", "correlated"]
    assert main(["verify", PHOTO, PHOTO, *options]) == 2
    assert "has no thresholds for 'correlated'; give one yourself" in capsys.readouterr().err


GIVEN = ("xcos-mobilefacenet-2", "a", "--pairs", 20)


@pytest.mark.parametrize(
    "options, sentence",
    [
        (("xcos-mobilefacenet-2", "a", "--pairs", 1), "--pairs 1 is under 2"),
        ((*GIVEN, "--genuine", 1.5), "--genuine 1.5 is no share; give a number from 0 to 1"),
        ((*GIVEN, "--genuine", "nan"), "--genuine nan is no share"),
        ((*GIVEN, "--seed", -1), "--seed -1 is under 0"),
        (("xcos-mobilefacenet-2", "nowhere"), "is no prepared set; make one with `xcos prepare`"),
        (("xcos-mobilefacenet-2", "pairs"), "is a set of pairs; train on a set of people"),
        (("xcos-mobilefacenet-2", "alone"), "at least 2 people, and there are 1"),
        (("xcos-mobilefacenet-2", "singles"), "two photos each, and there are 0"),
        (
            ("xcos-mobilefacenet-2", "a", "torn"),
            "were prepared from the same faces; give one of the two",
        ),
        ((*GIVEN, "--thresholds-set", "torn"), "which P is measured on; give people who were not"),
        ((*GIVEN, "--thresholds-set", "pairs"), "is a set of pairs"),
        ((*GIVEN, "--thresholds-set", "alone"), "has fewer than 2 people"),
        ((*GIVEN, "--out", "file"), "is a file; choose a folder for the preset"),
        ((*GIVEN, "--out", "b"), "holds other files (faces-"),
        ((*GIVEN, "--out", os.devnull + "/new"), "cannot be written; choose another folder"),
        (("nonesuch", "a"), "there is no preset 'nonesuch'"),
        (("mobilefacenet", "a"), "'mobilefacenet' has no grid to weigh; give an xCos preset"),
        (("small-patched", "small"), "has no correlated attention; give one that has"),
        ((*GIVEN, "--teacher", "nonesuch"), "there is no preset 'nonesuch'"),
        ((*GIVEN, "--teacher", "small-xcos"), "is an xCos preset, which has no embedding"),
        ((*GIVEN, "--teacher", "small-teacher"), "takes faces of 32 pixels and the preset"),
        (
            ("small-xcos", "a", "--teacher", "small-teacher"),
            "/a is 112×112 pixels and the models take 32×32; prepare faces",
        ),
        (
            ("small-xcos", "torn", "--teacher", "small-teacher"),
            "; copy it again or prepare the set again",
        ),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(room, tmp_path, capsys, options, sentence):
    out = () if "--out" in options else ("--out", tmp_path / "out")
    assert fit(room, *options, *out) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    *progress, error = captured.err.splitlines()
    assert all(line.lstrip("\r").startswith("correlation") for line in progress if line)
    assert error.startswith("xcos fit-correlation: error: ")
    assert sentence in error
    assert list(tmp_path.iterdir()) == []
