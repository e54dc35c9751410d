"""The configuration of a training run; `configs/README.md` explains each key."""

import math
import os
from typing import Annotated, Literal, get_args

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field

from xcos_tf.schemas import Line, Strict, Switch, from_old_word, plain

PARTS = ("backbone", "head", "attention", "margin_head")
SCORES = ("learned", "patched", "correlated", "cosine")
LARGEST_SIZE = 2**14
"""Of what a model's description asks for; presets take no more."""

Attention = Literal["patched", "correlated", "learned"]
Count = Annotated[int, Field(ge=1, le=2**31 - 1)]
Steps = Annotated[int, Field(ge=1, le=10**9 - 1)]  # nine digits of a checkpoint's name
Pairs = Annotated[int, Field(ge=0, le=10**8)]
Share = Annotated[float, Field(ge=0, le=1)]
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


class ModelConfig(Strict):
    """The preset's `model` section, see `build_network`.

    Attributes:
        backbone: {kind, its arguments}.
        xcos: of a model with a grid head.
        embedding_head: of a baseline, {kind, its arguments}.
    """

    backbone: Described
    xcos: XCosConfig | None = None
    embedding_head: Described | None = None

    @property
    def section(self) -> dict:
        """The section as it was given, as `build_network` takes it."""
        given = self.model_dump(exclude_unset=True)
        return {name: part for name, part in given.items() if part is not None}


class StartConfig(Strict):
    """Where the weights come from before the first step; at random where nothing is said.

    Attributes:
        preset: name or folder; the weights of every layer that it shares by path and shape with
            the model are taken over, the backbone's from any kind of preset.
        grid_head: "linear_tail" derives the grid head from the preset's embedding head, which must
            be linear (MobileFaceNet's); see `start_from_linear_tail`.
        frozen_until: the last backbone layer that stays as it is; None trains all of it.
        checkpoint: a file of a run, or the run's folder for its newest, whose weights go over all
            of these; see `take_weights`.
    """

    preset: Line | None = None
    grid_head: Literal["linear_tail"] | None = None
    frozen_until: Line | None = None
    checkpoint: Line | None = None


class DataConfig(Strict):
    """Which faces.

    Attributes:
        sets: prepared sets of people, folders in the data folder.
        hold_out: {set: people of it that are kept for validation}.
        verification: prepared sets of pairs, measured at each validation and never chosen by.
        validation_faces: at the most, of the people held out.
    """

    sets: Annotated[Names, Field(min_length=1)]
    hold_out: dict[Line, Annotated[int, Field(ge=0, le=2**31 - 1)]] = Field(default_factory=dict)
    verification: Names = Field(default_factory=list)
    validation_faces: Count = 4000


class BatchConfig(Strict):
    """A step's batch over all replicas.

    In a run of `epochs` it holds `pairs` pairs, or for a baseline `faces` single faces; see
    `EpochSampler`. In a run of `steps` it holds `groups` groups, each of `people` people with
    `faces` faces, of which `pairs` pairs are compared; see `GroupSampler`.

    Attributes:
        groups, people: None in a run of epochs.
        faces: of each person in a group; single ones in a run of epochs.
        pairs: in a group, or in a run of epochs in all; 0 for a baseline.
        genuine: share of genuine pairs, in [0, 1]; in a run of epochs, the chance of each.
        accumulate: micro-batches that a replica works off one after another.
        times: so many of these batches make one step; all learning rates are multiplied by it
            (the linear rule of Goyal et al., *Accurate, Large Minibatch SGD*, 2017).
    """

    groups: Count | None = None
    people: Count | None = None
    faces: Count | None = None
    pairs: Annotated[int, Field(ge=0, le=2**20)] = 0
    genuine: Share = 0.5
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
    draw_over: Share = 0.0


class IdentificationConfig(Strict):
    """L_id: its weight, and what the margin head takes.

    Attributes:
        weight: of L_id.
        feature: how a grid becomes the margin head's vector. "flattened": as the paper has it, all
            its cells after another, and that vector is scaled to unit length as a whole. "cells":
            each cell is first scaled to unit length by itself, so that all count alike, as they
            do in xCos.
    """

    weight: Weight
    feature: Literal["flattened", "cells"] = "flattened"


class LossConfig(Strict):
    """Weights of the losses, the teacher's view for L_cos, and the margin head of L_id.

    Attributes:
        identification: of L_id.
        learned, patched, correlated: weights of L_cos (Eq. 10) of these scores. P is measured at
            the end of a run; as long as it trains, `correlated` weighs cells by the start's P,
            which is U in a fresh model.
        cosine: weight of the same loss of a baseline's cosine.
        locality: weight of a loss that makes cells local; see `locality_loss`.
        teacher_sees: "changed" faces, as the model does, or the "original" ones, from which the
            model is to find what the teacher would say if nothing were changed or covered.
        balance: "genuine": genuine and impostor pairs each make half of L_cos, however many there
            are of either; None: all pairs weigh the same, as in Eq. 10.
        head: "arcface" or "cosface".
        scale, margin: s and m of the margin head.
        sample: people in each step's softmax (Partial FC); all when None.
    """

    identification: IdentificationConfig
    learned: Weight = 0.0
    patched: Weight = 0.0
    correlated: Weight = 0.0
    cosine: Weight = 0.0
    locality: Weight = 0.0
    teacher_sees: Literal["changed", "original"] = "changed"
    balance: Literal["genuine"] | None = None
    head: Literal["arcface", "cosface"] = "arcface"
    scale: Annotated[float, Field(ge=0.001, le=10_000)] = 64.0
    margin: Annotated[float, Field(ge=0, lt=math.pi)] = 0.5
    sample: Annotated[int, Field(ge=1, le=10**8)] | None = None


class OptimizerConfig(Strict):
    """An optimizer of Keras or tensorflow-addons, and its arguments; see `build_optimizer`.

    Attributes:
        learning_rate: the highest.
        l2: times the weight is added to its gradient.
        others: arguments of some optimizers. Further ones may be given; who takes which is known
            when the optimizer is built.
    """

    model_config = ConfigDict(extra="allow")
    __pydantic_extra__: dict[str, Option]

    name: Line
    learning_rate: Annotated[float, Field(gt=0, le=1000)]
    l2: Annotated[float, Field(ge=0, le=1000)] = 0.0
    momentum: Share = 0.0
    beta_1: Share = 0.9
    beta_2: Share = 0.999
    rho: Share = 0.9
    epsilon: Annotated[float, Field(gt=0, le=1)] = 1e-7
    weight_decay: Annotated[float, Field(ge=0, le=1000)] | None = None
    amsgrad: Switch = False
    nesterov: Switch = False

    @property
    def section(self) -> dict:
        """What was given but for the learning rate, as `build_optimizer` takes it."""
        return self.model_dump(exclude_unset=True, exclude={"learning_rate"})


class OptimizersConfig(Strict):
    """An optimizer for each part; None freezes it.

    Attributes:
        backbone: what is not frozen of it.
        head: the grid head, or a baseline's embedding head.
        attention: the learned attention.
        margin_head: of L_id.
        clip_norm: limit of the global norm of all gradients together.
    """

    backbone: OptimizerConfig | None = None
    head: OptimizerConfig | None = None
    attention: OptimizerConfig | None = None
    margin_head: OptimizerConfig | None = None
    clip_norm: Annotated[float, Field(gt=0, le=10**9)] | None = None


class ScheduleConfig(Strict):
    """How the learning rates change; in epochs if the run's length is in epochs, else in steps.

    Attributes:
        kind: "step" (÷ 1/factor at each drop), "cosine" (down to 1 % at the end), "constant".
        drops: of "step", ascending.
        factor: of each drop.
        warmup: over which the rates rise from 0.
    """

    kind: Literal["step", "cosine", "constant"] = "step"
    drops: list[Moment] = Field(default_factory=list)
    factor: Share = 0.1
    warmup: Moment = 0.0


class DevicesConfig(Strict):
    """What a run computes on.

    Attributes:
        strategy: "one" (one device), "mirrored" (all GPUs of this machine, or `logical_cpus`
            CPUs), or "multi_worker" (as the TF_CONFIG environment variable says).
        logical_cpus: how many devices this machine's CPU is split into; to try what several
            GPUs would do.
        precision: "float32", "mixed_float16" or "mixed_bfloat16".
        jit_compile: whether XLA compiles the step.
        steps_per_execution: steps that TensorFlow makes in one call, at the most.
        deterministic: whether only ops are used that give the same bits each time.
    """

    strategy: Literal["one", "mirrored", "multi_worker"] = "one"
    logical_cpus: Annotated[int, Field(ge=1, le=256)] = 1
    precision: Literal["float32", "mixed_float16", "mixed_bfloat16"] = "float32"
    jit_compile: Switch = False
    steps_per_execution: Annotated[int, Field(ge=1, le=10_000)] = 1
    deterministic: Switch = False


class CheckpointConfig(Strict):
    """When checkpoints are written, and how many are kept besides the best.

    Attributes:
        every: steps.
        minutes: also after so many since the last one; None: by steps alone.
        keep: how many of the newest.
    """

    every: Count = 1000
    minutes: Moment | None = None
    keep: Count = 3


class ValidationConfig(Strict):
    """When and by what a run is judged on the people held out.

    Attributes:
        every: steps; None: at the end of each epoch.
        best_by: the score that says which checkpoint is the best; None: the attention whose loss
            weighs most, or a baseline's cosine.
        best_metric: by which it does, "tar_at_far_1e-3" (the highest) or "eer" (the lowest).
        genuine, impostor: pairs, at the most.
        draw_over: whether up to half of one face of each pair is covered by brush strokes.
    """

    every: Count | None = None
    best_by: Literal["learned", "patched", "correlated", "cosine"] | None = None
    best_metric: Literal["tar_at_far_1e-3", "eer"] = "tar_at_far_1e-3"
    genuine: Pairs = 15_000
    impostor: Pairs = 60_000
    draw_over: Switch = False


class FinishConfig(Strict):
    """What is measured at the end, and of which weights.

    Attributes:
        weights: of which checkpoint, "best" or "last"; the last where a run trains for what
            validation does not measure.
        correlation_pairs: training pairs to measure P on; 0 leaves it as it is.
        threshold_pairs: impostor pairs of people held out to measure thresholds on.
        facts: licence, provenance and other facts that the preset's config.json states.
    """

    weights: Literal["best", "last"] = "best"
    correlation_pairs: Pairs = 100_000
    threshold_pairs: Pairs = 500_000
    facts: Annotated[dict[Line, plain(2**63)], AfterValidator(_not_ours)] = Field(
        default_factory=dict
    )


class TrainingConfig(Strict):
    """A whole run.

    Attributes:
        name: of the preset to make.
        model: a grid head ("xcos") or a baseline's "embedding_head".
        teacher: embedding preset, name or folder, whose cosines L_cos learns; None for a baseline.
        epochs, steps: the run's length, by one of the two. In an epoch each training image comes
            once: as the first of a pair, or by itself in a baseline without pairs.
        seed: of every draw.
        others: see their classes.
    """

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
