"""The configuration of a training run; `configs/README.md` explains each key."""

from dataclasses import dataclass, field

PARTS = ("backbone", "head", "attention", "margin_head")
SCORES = ("learned", "patched", "correlated", "cosine")


@dataclass(frozen=True)
class StartConfig:
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

    preset: str | None = None
    grid_head: str | None = None
    frozen_until: str | None = None
    checkpoint: str | None = None


@dataclass(frozen=True)
class DataConfig:
    """Which faces.

    Attributes:
        sets: prepared sets of people, folders in the data folder.
        hold_out: {set: people of it that are kept for validation}.
        verification: prepared sets of pairs, measured at each validation and never chosen by.
        validation_faces: at the most, of the people held out.
    """

    sets: list[str]
    hold_out: dict[str, int] = field(default_factory=dict)
    verification: list[str] = field(default_factory=list)
    validation_faces: int = 4000


@dataclass(frozen=True)
class BatchConfig:
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

    groups: int | None = None
    people: int | None = None
    faces: int | None = None
    pairs: int = 0
    genuine: float = 0.5
    accumulate: int = 1
    times: int = 1

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


@dataclass(frozen=True)
class AugmentationConfig:
    """Chances in [0, 1] of what happens to a training face; see `Augmentation`."""

    flip: float = 0.5
    augment: float = 0.0
    blend: float = 0.0
    occlude: float = 0.0
    draw_over: float = 0.0


@dataclass(frozen=True)
class IdentificationConfig:
    """L_id: its weight, and what the margin head takes.

    Attributes:
        weight: of L_id.
        feature: how a grid becomes the margin head's vector. "flattened": as the paper has it, all
            its cells after another, and that vector is scaled to unit length as a whole. "cells":
            each cell is first scaled to unit length by itself, so that all count alike, as they
            do in xCos.
    """

    weight: float
    feature: str = "flattened"


@dataclass(frozen=True)
class LossConfig:
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
    learned: float = 0.0
    patched: float = 0.0
    correlated: float = 0.0
    cosine: float = 0.0
    locality: float = 0.0
    teacher_sees: str = "changed"
    balance: str | None = None
    head: str = "arcface"
    scale: float = 64.0
    margin: float = 0.5
    sample: int | None = None


@dataclass(frozen=True)
class OptimizersConfig:
    """An optimizer for each part, as {name, learning_rate, l2, its arguments}; None freezes it.

    Attributes:
        backbone: what is not frozen of it.
        head: the grid head, or a baseline's embedding head.
        attention: the learned attention.
        margin_head: of L_id.
        clip_norm: limit of the global norm of all gradients together.
    """

    backbone: dict | None = None
    head: dict | None = None
    attention: dict | None = None
    margin_head: dict | None = None
    clip_norm: float | None = None


@dataclass(frozen=True)
class ScheduleConfig:
    """How the learning rates change; in epochs if the run's length is in epochs, else in steps.

    Attributes:
        kind: "step" (÷ 1/factor at each drop), "cosine" (down to 1 % at the end), "constant".
        drops: of "step", ascending.
        factor: of each drop.
        warmup: over which the rates rise from 0.
    """

    kind: str = "step"
    drops: list[float] = field(default_factory=list)
    factor: float = 0.1
    warmup: float = 0.0


@dataclass(frozen=True)
class DevicesConfig:
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

    strategy: str = "one"
    logical_cpus: int = 1
    precision: str = "float32"
    jit_compile: bool = False
    steps_per_execution: int = 1
    deterministic: bool = False


@dataclass(frozen=True)
class CheckpointConfig:
    """When checkpoints are written, and how many are kept besides the best.

    Attributes:
        every: steps.
        minutes: also after so many since the last one; None: by steps alone.
        keep: how many of the newest.
    """

    every: int = 1000
    minutes: float | None = None
    keep: int = 3


@dataclass(frozen=True)
class ValidationConfig:
    """When and by what a run is judged on the people held out.

    Attributes:
        every: steps; None: at the end of each epoch.
        best_by: the score that says which checkpoint is the best; None: the attention whose loss
            weighs most, or a baseline's cosine.
        best_metric: by which it does, "tar_at_far_1e-3" (the highest) or "eer" (the lowest).
        genuine, impostor: pairs, at the most.
        draw_over: whether up to half of one face of each pair is covered by brush strokes.
    """

    every: int | None = None
    best_by: str | None = None
    best_metric: str = "tar_at_far_1e-3"
    genuine: int = 15_000
    impostor: int = 60_000
    draw_over: bool = False


@dataclass(frozen=True)
class FinishConfig:
    """What is measured at the end, and of which weights.

    Attributes:
        weights: of which checkpoint, "best" or "last"; the last where a run trains for what
            validation does not measure.
        correlation_pairs: training pairs to measure P on; 0 leaves it as it is.
        threshold_pairs: impostor pairs of people held out to measure thresholds on.
        facts: licence, provenance and other facts that the preset's config.json states.
    """

    weights: str = "best"
    correlation_pairs: int = 100_000
    threshold_pairs: int = 500_000
    facts: dict = field(default_factory=dict)


@dataclass(frozen=True)
class TrainingConfig:
    """A whole run.

    Attributes:
        name: of the preset to make.
        model: the preset's `model` section, see `build_network`: a grid head ("xcos") or a
            baseline's "embedding_head".
        teacher: embedding preset, name or folder, whose cosines L_cos learns; None for a baseline.
        epochs, steps: the run's length, by one of the two. In an epoch each training image comes
            once: as the first of a pair, or by itself in a baseline without pairs.
        seed: of every draw.
        others: see their classes.
    """

    name: str
    model: dict
    data: DataConfig
    batch: BatchConfig
    loss: LossConfig
    optimizers: OptimizersConfig
    teacher: str | None = None
    start: StartConfig = field(default_factory=StartConfig)
    augmentation: AugmentationConfig = field(default_factory=AugmentationConfig)
    schedule: ScheduleConfig = field(default_factory=ScheduleConfig)
    devices: DevicesConfig = field(default_factory=DevicesConfig)
    checkpoint: CheckpointConfig = field(default_factory=CheckpointConfig)
    validation: ValidationConfig = field(default_factory=ValidationConfig)
    finish: FinishConfig = field(default_factory=FinishConfig)
    epochs: float | None = None
    steps: int | None = None
    seed: int = 1

    @property
    def explains(self) -> bool:
        """Whether the model has a grid head; otherwise it is a baseline."""
        return "xcos" in self.model

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
