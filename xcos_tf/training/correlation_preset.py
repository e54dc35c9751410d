"""A preset's P measured anew: by which models, on which pairs, and what is noted down of it."""

import json
import math
import os
from collections.abc import Callable, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import tensorflow as tf

from xcos_tf.data.face_set import FaceSet
from xcos_tf.data.records.reader import PreparedSet
from xcos_tf.data.training_input import Augmentation, reading_problems, training_dataset
from xcos_tf.errors import XcosError, explained
from xcos_tf.models.network import XCos
from xcos_tf.models.preset_folder import DEFAULT_PRESET
from xcos_tf.models.presets import Preset, load_preset
from xcos_tf.training.correlation import Correlation, fit_correlation
from xcos_tf.training.pairs import pair_sampler


@dataclass(frozen=True)
class Plan:
    """Which pairs: how many, the share of genuine ones in [0, 1], and the seed of the draw."""

    pairs: int
    genuine: float
    seed: int


def load_models(preset: str | os.PathLike, teacher: str | os.PathLike) -> tuple[Preset, Preset]:
    """Load a preset whose P can be measured, and a teacher for it.

    Raises:
        XcosError: the preset has no correlated attention, the teacher no embedding, or they take
            faces of different sizes; or either cannot be loaded.
    """
    grid, plain = load_preset(preset), load_preset(teacher)
    if not grid.network.explains:
        raise XcosError(
            f"the preset {str(preset)!r} has no grid to weigh; give an xCos preset, such as "
            + DEFAULT_PRESET
        )
    if "correlated" not in grid.network.comparisons:
        raise XcosError(
            f"the preset {str(preset)!r} has no correlated attention; give one that has"
        )
    if plain.network.explains:
        raise XcosError(
            f"the teacher {str(teacher)!r} is an xCos preset, which has no embedding; give one "
            "that has, such as mobilefacenet"
        )
    sizes = [x.network.features.input_shape[1] for x in (grid, plain)]
    if sizes[0] != sizes[1]:
        raise XcosError(
            f"the teacher {str(teacher)!r} takes faces of {sizes[1]} pixels and the preset "
            f"{str(preset)!r} of {sizes[0]}; give a teacher for the same faces"
        )
    return grid, plain


def measure(
    preset: Preset,
    teacher: Preset,
    sets: Sequence[PreparedSet],
    faces: FaceSet,
    plan: Plan,
    state: Path | None = None,
) -> Correlation:
    """Measure P on faces of some sets, without augmentation, and set it in the preset's network.

    Preset and teacher are those of `load_models`, the faces those of `people_to_compare`, and
    `state` is as for `fit_correlation`; its folder is made if it is not there.

    Raises:
        XcosError: as `fit_correlation` does, or a face cannot be read or is of the wrong size.
    """
    identity = [
        *(model.config["weights"]["sha256"] for model in (preset, teacher)),
        [records.source["fingerprint"] for records in sets],
    ]
    network, embed = preset.network, teacher.network
    if state:
        with explained(f"cannot write to {state.parent}", "choose another folder"):
            state.parent.mkdir(parents=True, exist_ok=True)
    with reading_problems():
        return measure_on(network, faces, plan, network.features, embed, state, identity)


def measure_on(
    network: XCos,
    faces: FaceSet,
    plan: Plan,
    grid: Callable[[tf.Tensor], tf.Tensor],
    teacher: Callable[[tf.Tensor], tf.Tensor],
    state: Path | None,
    identity: list,
    stem: Callable[[tf.Tensor], tf.Tensor] = tf.identity,
) -> Correlation:
    """Measure P on faces as they are, and set it in a network with a correlated attention.

    The faces are those of `people_to_compare`, and `identity` is what they and the models are told
    by, for JSON; see `fit_correlation` for the rest, and for errors.
    """
    sampler = pair_sampler(faces.labels, plan.genuine, plan.seed)
    steps = math.ceil(plan.pairs / sampler.pairs)
    unchanged, size = Augmentation(flip=0.0), network.features.input_shape[1]
    found = fit_correlation(
        grid,
        teacher,
        lambda step: training_dataset(faces, sampler, unchanged, step, steps, range(1), size),
        plan.pairs,
        network.features.output_shape[1:3],
        state,
        json.dumps([*identity, astuple(plan), [sampler.people, sampler.faces, sampler.pairs]]),
        stem=stem,
    )
    layer = network.comparisons["correlated"].get_layer("correlated_attention")
    layer.correlation.assign(found.raw)
    return found


def facts(
    correlation: Correlation, plan: Plan, teacher: Preset, sets: Sequence[PreparedSet]
) -> dict:
    """Return the section `correlation` of a preset's configuration."""
    return {
        **correlation.facts(),
        "seed": plan.seed,
        "teacher": {"name": teacher.config["name"], "sha256": teacher.config["weights"]["sha256"]},
        "sets": [name_of(records) for records in sets],
    }


def name_of(records: PreparedSet) -> dict:
    """Return what tells of a prepared set."""
    name = records.folder.resolve().name
    return {"name": name, "fingerprint": records.source["fingerprint"]}


def new_config(config: dict, correlation: dict, thresholds: dict[str, float]) -> dict:
    """Return a preset's configuration with a new P, see `facts`, and {FMR: threshold} by it.

    What was measured by the old P, thresholds and validation, is left out.
    """
    every = {**config["thresholds"], "correlated": thresholds}
    config = {**config, "thresholds": {score: at for score, at in every.items() if at}}
    training = config.get("training")
    if isinstance(training, dict) and isinstance(training.get("validation"), dict):
        before = training["validation"].items()
        still_true = {k: v for k, v in before if k.split("/")[0] != "correlated"}
        config["training"] = {**training, "validation": still_true}
    left = {key: value for key, value in config.items() if key not in ("format", "weights")}
    return {**left, "correlation": correlation}
