"""A training run from faces to a preset: cache, start, train, measure P and thresholds, save."""

import csv
import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from tensorflow import keras
from tqdm import tqdm

from xcos_tf.data.people import People, hold_out, read_people
from xcos_tf.evaluation.metrics import threshold_at_fmr
from xcos_tf.models.builder import build_network
from xcos_tf.models.network import XCosNetwork
from xcos_tf.models.presets import Preset, load_preset, save_preset
from xcos_tf.training import validation
from xcos_tf.training.batches import BatchSampler
from xcos_tf.training.config import TrainingConfig
from xcos_tf.training.correlation import StreamingCorrelation
from xcos_tf.training.feature_cache import FeatureCache, build_feature_cache
from xcos_tf.training.initialisation import start_from_linear_tail
from xcos_tf.training.trainer import Trainer, frozen_trunk, trainable_tail

VALIDATION_GENUINE, VALIDATION_IMPOSTOR = 15_000, 60_000
TRAINED = ("patched", "learned")  # P is measured when these have been trained
FALSE_MATCH_RATES = ("0.01", "0.001", "0.0001")


@dataclass
class Run:
    """The pieces of a run in progress."""

    config: TrainingConfig
    folder: Path
    teacher: Preset
    people: People
    train: FeatureCache
    held_out: FeatureCache
    network: XCosNetwork


def prepare(config: TrainingConfig, data: str | os.PathLike, folder: str | os.PathLike) -> Run:
    """Read the faces, cache what stays frozen and build the network in its starting state.

    Args:
        config: of the run.
        data: folder with the face sets that the configuration names.
        folder: of the run; what is there already is used again.
    """
    folder = Path(folder)
    keras.utils.set_random_seed(config.seed)  # of the weights that start at random
    people = read_people([Path(data) / name for name in config.data.sets])
    training, held_out = hold_out(people, config.data.hold_out, config.seed)
    teacher = load_preset(config.teacher)
    recogniser = teacher.network.whole
    backbone = recogniser.get_layer("backbone")
    trunk = frozen_trunk(backbone, config.trainable_from)
    tail = trainable_tail(backbone, config.trainable_from)
    embed = recogniser.get_layer("embedding_head")
    teacher_tail = keras.Sequential([tail, embed])
    signature = f"{teacher.config['weights']['sha256']} {config.trainable_from}"
    caches = [
        build_feature_cache(
            folder / "cache" / name,
            who,
            trunk,
            teacher_tail,
            variants,
            blended,
            config.data.augmentation_seed,
            signature,
        )
        for name, who, variants, blended in (
            ("training", training, config.data.variants, config.data.blended),
            ("validation", held_out, 1, 0),
        )
    ]
    network = build_network(config.model)
    network.grid.get_layer("backbone").set_weights(backbone.get_weights())
    run = Run(config, folder, teacher, training, *caches, network)
    _start(run)
    return run


def _start(run: Run, faces: int = 2000) -> None:
    random = np.random.default_rng(run.config.seed)
    sample = np.sort(
        random.choice(len(run.train.labels), min(faces, len(run.train.labels)), replace=False)
    )
    tail = Trainer(run.network, 1, run.config).tail
    features = np.concatenate(
        [
            tail(tf.constant(run.train.features[0, block], tf.float32)).numpy()
            for block in np.array_split(sample, max(1, len(sample) // 250))
        ]
    )
    start_from_linear_tail(
        run.network.grid.get_layer("grid_head"),
        run.teacher.network.whole.get_layer("embedding_head"),
        features,
    )


def train(run: Run) -> list[dict]:
    """Train to the last step, from the newest checkpoint if there is one.

    `checkpoints/` holds the last two; `metrics.csv` has a line for each validation. Batches
    depend on seed and step alone, so an interrupted run ends as an uninterrupted one would.
    """
    config = run.config
    trainer = Trainer(run.network, len(run.people.names), config)
    manager = tf.train.CheckpointManager(
        trainer.checkpoint(), str(run.folder / "checkpoints"), max_to_keep=2
    )
    manager.restore_or_initialize()
    sampler = BatchSampler(
        run.train.labels, config.data.variants, **vars(config.batch), seed=config.seed
    )
    pairs = _validation_pairs(run)
    history = _read_history(run.folder, int(trainer.step))
    sums: dict[str, float] = {}
    with tqdm(total=config.steps, initial=int(trainer.step), desc="train", unit="step") as bar:
        while int(trainer.step) < config.steps:
            batch = sampler.draw(int(trainer.step))
            losses = trainer.train_step(
                run.train.features[batch.variants, batch.images],
                run.train.teacher[batch.variants, batch.images],
                batch,
            )
            for name, value in losses.items():
                sums[name] = sums.get(name, 0.0) + value
            bar.update()
            step = int(trainer.step)
            if step % config.validate_every == 0 or step == config.steps:
                history.append({"step": step, **_validate(run, trainer, pairs, TRAINED)})
                _write_history(run.folder, history)
                bar.write(f"step {step}: {json.dumps(history[-1])}")
                means = {name: total / config.validate_every for name, total in sums.items()}
                bar.write(f"  losses { ({name: round(mean, 5) for name, mean in means.items()}) }")
                sums = {}
            if step % config.checkpoint_every == 0 or step == config.steps:
                manager.save(step)
    return history


def _validation_pairs(run):
    return validation.draw_pairs(
        run.held_out.labels, VALIDATION_GENUINE, VALIDATION_IMPOSTOR, run.config.seed
    )


def _validate(run, trainer, pairs, attentions) -> dict[str, float]:
    grids = validation.embed_features(trainer.tail, trainer.grid_head, run.held_out.features[0])
    results = validation.validate(run.network, grids, run.held_out.teacher[0], pairs, attentions)
    return {
        f"{score}/{metric}": round(value, 5)
        for score, metrics in results.items()
        for metric, value in metrics.items()
    }


def _read_history(folder: Path, before: int) -> list[dict]:
    path = folder / "metrics.csv"
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        rows = [{key: float(value) for key, value in row.items()} for row in csv.DictReader(file)]
    return [{**row, "step": int(row["step"])} for row in rows if row["step"] <= before]


def _write_history(folder: Path, history: list[dict]) -> None:
    temporary = folder / "metrics.csv.tmp"
    with open(temporary, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, history[0])
        writer.writeheader()
        writer.writerows(history)
    os.replace(temporary, folder / "metrics.csv")


def fit_correlation(run: Run) -> np.ndarray:
    """Measure P over training pairs, half of them genuine, and set it in the network."""
    half = run.config.correlation_pairs // 2
    pairs = validation.draw_pairs(run.train.labels, half, half, run.config.seed)
    trainer = Trainer(run.network, 1, run.config)
    grids = validation.embed_features(trainer.tail, trainer.grid_head, run.train.features[0])
    cosines = validation.teacher_cosines(run.train.teacher[0], pairs)
    stream = StreamingCorrelation(grids.shape[1:3])
    patched = run.network.comparisons["patched"]
    for block, maps in validation.pair_outputs(patched, grids, pairs, "similarity_map"):
        stream.update(maps, cosines[block])
    correlation = stream.result()
    correlated = run.network.comparisons["correlated"].get_layer("correlated_attention")
    correlated.correlation.assign(correlation)
    return correlation


def measure_thresholds(run: Run) -> dict[str, dict[str, float]]:
    """Return {score name: {FMR: threshold}} from impostor pairs of held-out people.

    "cosine" is the teacher's own score, for the teacher's preset. A rate that would need more
    pairs than there are is left out.
    """
    pairs = validation.draw_pairs(
        run.held_out.labels, 0, run.config.thresholds_pairs, run.config.seed + 1
    )
    trainer = Trainer(run.network, 1, run.config)
    grids = validation.embed_features(trainer.tail, trainer.grid_head, run.held_out.features[0])
    scores = {"cosine": validation.teacher_cosines(run.held_out.teacher[0], pairs)}
    for attention, comparison in run.network.comparisons.items():
        scores[attention] = validation.pair_scores(comparison, grids, pairs)
    rates = [rate for rate in FALSE_MATCH_RATES if len(pairs.first) * float(rate) >= 1]
    return {
        name: {rate: float(threshold_at_fmr(values, float(rate))) for rate in rates}
        for name, values in scores.items()
    }


def finish(run: Run, history: list[dict], facts: dict) -> dict[str, dict[str, float]]:
    """Measure P and thresholds, write the preset to `preset/`, and return the thresholds."""
    fit_correlation(run)
    trainer = Trainer(run.network, 1, run.config)
    pairs = _validation_pairs(run)
    thresholds = measure_thresholds(run)
    config = {
        "name": run.config.name,
        "model": run.config.model,
        "thresholds": {k: v for k, v in thresholds.items() if k in run.network.comparisons},
        "training": {
            "config": run.config.source,
            "people": len(run.people.names),
            "images": len(run.people.paths),
            "steps": history[-1]["step"] if history else 0,
            "validation": _validate(run, trainer, pairs, tuple(run.network.comparisons)),
            "threshold_pairs": run.config.thresholds_pairs,
        },
        **facts,
    }
    save_preset(run.folder / "preset", config, run.network)
    return thresholds
