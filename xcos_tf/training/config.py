"""The configuration of a training run: which values are allowed.

`docs/configuration.md` explains each key, and `config_reader` says what cannot be combined.
"""

import math
import os
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from xcos_tf.models.preset_config import LARGEST_SIZE
from xcos_tf.schemas import Line, Strict, Switch, from_old_word, plain

PARTS = ("backbone", "head", "attention", "margin_head")
SCORES = ("learned", "patched", "correlated", "cosine")

Attention = Literal["patched", "correlated", "learned"]
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
Steps = Annotated[int, Field(ge=1, le=10**9 - 1)]  # nine digits of a checkpoint's name
Pairs = Annotated[int, Field(ge=0, le=10**8)]
SomePairs = Annotated[int, Field(ge=1, le=10**8)]
Share = Annotated[float, Field(ge=0, le=1)]
Decay = Annotated[float, Field(ge=0, lt=1)]  # what is left of an average after a step
Weight = Annotated[float, Field(ge=0, le=10**6)]
Moment = Annotated[float, Field(ge=0, le=10**9)]
Option = Annotated[plain(LARGEST_SIZE), BeforeValidator(from_old_word)]

_OF_A_PRESET = {
    *("format", "name", "model", "preprocessing", "thresholds"),
    *("training", "correlation", "weights"),
}


def _no_two_alike(names: list) -> list:
    if len({os.path.normpath(name) for name in names}) < len(names):
        raise ValueError("must name nothing twice")
    return names


def _with_kind(section: dict) -> dict:
    if not isinstance(section.get("kind"), str):
        raise ValueError("must hold `kind`, such as mobilefacenet or ir of a backbone")
    return section


def _none_or_two(pairs: int) -> int:
    if pairs == 1:
        raise ValueError("must be 0, or 2 or more, for a correlation")
    return pairs


def _not_ours(facts: dict) -> dict:
    if taken := sorted(facts.keys() & _OF_A_PRESET):
        raise ValueError(f"must not name {', '.join(taken)}, which a preset has of its own")
    return facts


Names = Annotated[list[Line], AfterValidator(_no_two_alike)]
Described = Annotated[dict[Line, Option], AfterValidator(_with_kind)]


class XCosConfig(Strict):
    """The arguments of `XCos` that may be given."""

    channels: Annotated[int, Field(ge=1, le=LARGEST_SIZE)] = 32
    cell_affine: Switch = False
    batch_norm: Switch = True
    attentions: Annotated[list[Attention], AfterValidator(_no_two_alike)] = Field(
        default_factory=lambda: list(get_args(Attention)), min_length=1
    )
    symmetric: Switch = True
    context: Annotated[int, Field(ge=0, le=LARGEST_SIZE)] = 0


class ModelConfig(Strict):
    """The preset's `model` section, see `build_network`."""

    backbone: Described
    xcos: XCosConfig | None = None
    embedding_head: Described | None = None

    @property
    def section(self) -> dict:
        """The section as it was given, as `build_network` takes it."""
        given = self.model_dump(exclude_unset=True)
        return {name: part for name, part in given.items() if part is not None}


class StartConfig(Strict):
    """Where the weights come from before the first step; at random where nothing is said."""

    preset: Line | None = None
    grid_head: Literal["linear_tail"] | None = None
    frozen_until: Line | None = None
    checkpoint: Line | None = None


class DataConfig(Strict):
    """Which faces."""

    sets: Annotated[Names, Field(min_length=1)]
    hold_out: dict[Line, Annotated[int, Field(ge=0, le=2**31 - 1)]] = Field(default_factory=dict)
    weights: dict[Line, Annotated[float, Field(ge=1e-6, le=10**6)]] = Field(default_factory=dict)
    remember: Count | None = None
    verification: Names = Field(default_factory=list)
    validation_faces: Count = 4000


class BatchConfig(Strict):
    """A step's batch over all replicas.

    In a run of `epochs` it holds `pairs` pairs, or for a baseline `faces` single faces; see
    `EpochSampler`. In a run of `steps` it holds `groups` groups, each of `people` people with
    `faces` faces, of which `pairs` pairs are compared; see `GroupSampler`.
    """

    groups: Count | None = None
    people: Count | None = None
    faces: Count | None = None
    pairs: Annotated[int, Field(ge=0, le=2**20)] = 0
    genuine: Share = 0.5
    near: Annotated[float, Field(ge=0, le=100)] = 0.0
    accumulate: Count = 1
    times: Count = 1

    @property
    def parts(self) -> int:
        """What replicas and micro-batches share evenly: groups, pairs, or single faces."""
        return self.times * (self.groups or self.pairs or self.faces)

    @property
    def images(self) -> int:
        """How many faces a step sees."""
        if self.groups:
            return self.parts * self.people * self.faces
        return self.parts * (2 if self.pairs else 1)


class AugmentationConfig(Strict):
    """Chances in [0, 1] of what happens to a training face; see `Augmentation`."""

    flip: Share = 0.5
    augment: Share = 0.0
    blend: Share = 0.0
    occlude: Share = 0.0
    strokes: Share = 0.0


class IdentificationConfig(Strict):
    """L_id: its weight, and what the margin head takes."""

    weight: Weight
    feature: Literal["flattened", "cells"] = "flattened"


class CoveringConfig(Strict):
    """The covering loss: its weight, the faces of a remembered step, and the pairs of a group."""

    weight: Annotated[float, Field(gt=0, le=10**6)]
    faces: Annotated[int, Field(ge=1, le=2**10)] = 8
    pairs: Annotated[int, Field(ge=1, le=2**10)] = 24


class LossConfig(Strict):
    """Weights of the losses, the teacher's view for L_cos, and the margin head of L_id."""

    identification: IdentificationConfig
    learned: Weight = 0.0
    patched: Weight = 0.0
    correlated: Weight = 0.0
    cosine: Weight = 0.0
    covering: CoveringConfig | None = None
    teacher_input: Literal["augmented", "original"] = "augmented"
    balance: Literal["genuine"] | None = None
    head: Literal["arcface", "cosface"] = "arcface"
    scale: Annotated[float, Field(ge=0.001, le=10_000)] = 64.0
    margin: Annotated[float, Field(ge=0, lt=math.pi)] = 0.5
    sample: Annotated[int, Field(ge=1, le=10**8)] | None = None


class OptimizerConfig(Strict):
    """An optimizer of Keras or tensorflow-addons, and its arguments; see `build_optimizer`."""

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Option]

    name: Line
    learning_rate: Annotated[float, Field(gt=0, le=1000)]
    l2: Annotated[float, Field(ge=0, le=1000)] = 0.0
    momentum: Share = 0.0
    beta_1: Decay = 0.9
    beta_2: Decay = 0.999
    rho: Decay = 0.9
    epsilon: Annotated[float, Field(gt=0, le=1)] = 1e-7
    weight_decay: Annotated[float, Field(ge=0, le=1000)] | None = None
    amsgrad: Switch = False
    nesterov: Switch = False

    @property
    def section(self) -> dict:
        """What was given but for the learning rate, as `build_optimizer` takes it."""
        return self.model_dump(exclude_unset=True, exclude={"learning_rate"})


class OptimizersConfig(Strict):
    """An optimizer for each part; None freezes it. See `fit_context` for "ridge"."""

    backbone: OptimizerConfig | None = None
    head: OptimizerConfig | None = None
    attention: OptimizerConfig | None = None
    margin_head: OptimizerConfig | None = None
    context: Literal["ridge"] | None = None
    clip_norm: Annotated[float, Field(gt=0, le=10**9)] | None = None


class ScheduleConfig(Strict):
    """How the learning rates change; in epochs if the run's length is in epochs, else in steps."""

    kind: Literal["step", "cosine", "constant"] = "step"
    drops: list[Moment] = Field(default_factory=list)
    factor: Share = 0.1
    warmup: Moment = 0.0


class DevicesConfig(Strict):
    """What a run computes on."""

    strategy: Literal["one", "mirrored", "multi_worker"] = "one"
    logical_cpus: Annotated[int, Field(ge=1, le=256)] = 1
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    jit_compile: Switch = False
    steps_per_execution: Annotated[int, Field(ge=1, le=10_000)] = 1
    deterministic: Switch = False


class CheckpointConfig(Strict):
    """When checkpoints are written, and how many are kept besides the best."""

    every: Count = 1000
    minutes: Moment | None = None
    keep: Count = 3


class ValidationConfig(Strict):
    """When and by what a run is judged on the people held out."""

    every: Count | None = None
    best_by: Literal["learned", "patched", "correlated", "cosine"] | None = None
    best_metric: Literal["tar_at_far_1e-3", "eer"] = "tar_at_far_1e-3"
    genuine: SomePairs = 15_000
    impostor: SomePairs = 60_000
    strokes: Switch = False


class FinishConfig(Strict):
    """What is measured at the end, and of which weights."""

    weights: Literal["best", "last"] = "best"
    correlation_pairs: Annotated[Pairs, AfterValidator(_none_or_two)] = 100_000
    threshold_pairs: Pairs = 500_000
    facts: Annotated[dict[Line, plain(2**63)], AfterValidator(_not_ours)] = Field(
        default_factory=dict
    )


class TrainingConfig(Strict):
    """A whole run."""

    name: Line
    model: ModelConfig
    data: DataConfig
    batch: BatchConfig
    loss: LossConfig
    optimizers: OptimizersConfig
    teacher: Line | None = None
    start: StartConfig = StartConfig()
    augmentation: AugmentationConfig = AugmentationConfig()
    schedule: ScheduleConfig = ScheduleConfig()
    devices: DevicesConfig = DevicesConfig()
    checkpoint: CheckpointConfig = CheckpointConfig()
    validation: ValidationConfig = ValidationConfig()
    finish: FinishConfig = FinishConfig()
    epochs: Annotated[float, Field(gt=0, le=10_000)] | None = None
    steps: Steps | None = None
    seed: Annotated[int, Field(ge=0, le=2**32 - 1)] = 1

    @property
    def explains(self) -> bool:
        """Whether the model has a grid head; otherwise it is a baseline."""
        return self.model.xcos is not None

    @property
    def scores(self) -> tuple[str, ...]:
        """The scores whose L_cos has a weight, the heaviest first."""
        weights = {score: getattr(self.loss, score) for score in SCORES}
        return tuple(a for a in sorted(weights, key=lambda a: -weights[a]) if weights[a])

    @property
    def best_by(self) -> str:
        """The score that says which checkpoint is the best."""
        if not self.explains:
            return "cosine"
        return self.validation.best_by or next(iter(self.scores), "patched")
