"""Configurations of runs, and what is in a run's folder."""

import json
import math
from pathlib import Path
from unittest import mock

import numpy as np
from safetensors import safe_open
from safetensors.numpy import load

from tests.fuzz.engine import Reader, Trial
from tests.fuzz.models import odd_safetensors
from tests.fuzz.mutate import mutate_bytes, mutate_json, mutate_text, mutate_tree
from tests.training.small import small_trainer
from tests.training.test_config import CONFIGS, SHIPPED
from xcos_tf.training import record
from xcos_tf.training.checkpoints import Checkpoints, take_weights, trainer_state
from xcos_tf.training.config_reader import read_config
from xcos_tf.yaml_text import parse_yaml


def _numbers(value, found: list) -> list:
    """Return all numbers in nested values."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, (list, tuple)):
        for inner in value:
            _numbers(inner, found)
    elif isinstance(value, (int, float)):
        found.append(value)
    return found


def _configs(folder: Path) -> Trial:
    paths = [SHIPPED, CONFIGS / "smoke.yaml", *sorted((CONFIGS / "occlusion").glob("*.yaml"))]
    texts = [path.read_text() for path in paths]
    trees = [parse_yaml(text.encode(), "seed") for text in texts]
    (folder / "other.yaml").write_text(texts[0])

    def draw(random):
        which, kind = random.integers(len(texts)), random.random()
        if kind < 0.6:  # JSON is YAML, but for how it writes what is not finite
            text = json.dumps(mutate_tree(trees[which], random))
            text = text.replace("NaN", ".nan").replace("-Infinity", "-.inf")
            return text.replace("Infinity", ".inf").encode()
        if kind < 0.65:
            return mutate_json({"extends": "other.yaml", "batch": {"pairs": 48}}, random)
        if kind < 0.9:
            return mutate_text(texts[which], random)
        return mutate_bytes(texts[which].encode(), random)

    def read(content):
        (folder / "config.yaml").write_bytes(content)
        config, text = read_config(folder / "config.yaml")
        assert all(math.isfinite(x) and abs(x) < 2**64 for x in _numbers(config.model_dump(), []))
        assert (config.steps or 0) >= 0 and config.batch.parts >= 1 and config.batch.images >= 1
        assert 0 <= config.seed < 2**32
        assert parse_yaml(text.encode(), "its text") is not None

    return Trial(draw, read)


def _records(folder: Path) -> Trial:
    text = SHIPPED.read_text()
    quick = mock.patch.multiple(record, _git=lambda: None, _versions=dict)
    with quick:
        record.record_run(folder / "run", text, 7, ["CPU:0"], {"a": "b"})
    run = json.loads((folder / "run/run.json").read_text())

    def draw(random):
        if random.random() < 0.5:
            return text.encode(), mutate_json(run, random)
        return mutate_text(text, random), json.dumps(run).encode()

    def read(files):
        for name, content in zip(("config.yaml", "run.json"), files, strict=True):
            (folder / "run" / name).write_bytes(content)
        with quick:
            changed = record.record_run(folder / "run", text, 7, ["CPU:0"], {"a": "b"}, 5)
            assert all(str(change) for change in changed)
            assert not record.record_run(folder / "run", text, 7, ["CPU:0"], {"a": "b"}, 5)

    return Trial(draw, read)


def _checkpoints(folder: Path) -> Trial:
    trainer = small_trainer()
    place = Checkpoints(folder / "checkpoints")
    path = place.save(trainer, 3)
    arrays = load(path.read_bytes())
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()

    def draw(random):
        told = dict(metadata)
        if random.random() < 0.3:
            key = sorted(told)[random.integers(len(told))]
            told[key] = mutate_text(told[key], random).decode("latin-1")
        return odd_safetensors(arrays, random, told)

    def read(content):
        path.write_bytes(content)
        for restore in (lambda: place.restore(trainer), lambda: take_weights(trainer, path)):
            restore()
            for name, variable in trainer_state(trainer).items():
                if name.startswith("model"):
                    assert np.isfinite(np.asarray(variable)).all(), name
        assert place.restore(trainer) >= 0

    return Trial(draw, read)


READERS = (
    Reader("configurations of training", _configs, 2),
    Reader("records of runs", _records, 0.2),
    Reader("checkpoints", _checkpoints, 0.5),
)
