"""The configuration of a training run, read from YAML and checked before anything starts."""

import dataclasses
import difflib
import os
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from xcos_tf.errors import XcosError


@dataclass(frozen=True)
class DataConfig:
    """Which faces: sets are sub-folders of the data folder, each with one sub-folder a person."""

    sets: list[str]
    hold_out: dict[str, int]
    variants: int
    blended: int = 0  # of the variants, the last ones: of faces blended with others
    augmentation_seed: int = 7  # not the run's, so that runs with other seeds share a cache


@dataclass(frozen=True)
class BatchConfig:
    """People in a batch, faces of each, and pairs compared in it."""

    people: int
    faces: int
    pairs: int


@dataclass(frozen=True)
class LossConfig:
    """Weights of the losses, and CosFace's or ArcFace's scale and margin."""

    learned: float
    patched: float
    identification: float
    head: str = "cosface"
    scale: float = 30.0
    margin: float = 0.35


@dataclass(frozen=True)
class LearningRateConfig:
    """Peak learning rate of each part; a part at 0 stays as it is."""

    backbone: float
    grid_head: float
    attention: float
    margin_head: float


@dataclass(frozen=True)
class TrainingConfig:
    """A whole run.

    Attributes:
        name: of the preset to make.
        teacher: preset whose cosines are learned, and whose backbone is the start.
        trainable_from: the backbone's layer whose output is cached; what follows it is trained.
        model: the preset's `model` section, see `build_network`.
        data, batch, loss, learning_rate: see their classes.
        steps: how many to train.
        warmup_steps: over which learning rates rise from 0; then they fall as a cosine.
        clip_norm: limit of the gradient's global norm.
        weight_decay: decoupled, of backbone and grid head.
        seed: of every draw.
        checkpoint_every, validate_every: in steps.
        thresholds_pairs: impostor validation pairs to measure thresholds on.
        correlation_pairs: training pairs to measure P on.
    """

    name: str
    teacher: str
    trainable_from: str
    model: dict
    data: DataConfig
    batch: BatchConfig
    loss: LossConfig
    learning_rate: LearningRateConfig
    steps: int
    warmup_steps: int = 200
    clip_norm: float = 1.0
    weight_decay: float = 0.0
    seed: int = 1
    checkpoint_every: int = 250
    validate_every: int = 500
    thresholds_pairs: int = 500_000
    correlation_pairs: int = 100_000
    source: dict = field(default_factory=dict, compare=False)


def read_config(path: str | os.PathLike) -> TrainingConfig:
    """Read a run's YAML file.

    Raises:
        XcosError: the file is not there or not YAML, a key is unknown (the nearest known one is
            named) or missing, or a value has the wrong type.
    """
    path = Path(path)
    try:
        source = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise XcosError(
            f"cannot read the configuration {path} ({reason}); give a YAML file"
        ) from None
    config = _build(TrainingConfig, source, str(path))
    return dataclasses.replace(config, source=source)


def _build(cls, values, where):
    if not isinstance(values, dict):
        raise XcosError(f"{where} must hold keys and values; it holds {values!r}")
    fields = {f.name: f for f in dataclasses.fields(cls) if f.name != "source"}
    for key in values:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(fields)}"
            raise XcosError(f"{where} has an unknown key {key!r}; {hint}")
    needed = [
        name
        for name, f in fields.items()
        if f.default is dataclasses.MISSING and f.default_factory is dataclasses.MISSING
    ]
    missing = [name for name in needed if name not in values]
    if missing:
        raise XcosError(f"{where} lacks {', '.join(missing)}; add it")
    return cls(
        **{
            key: _convert(fields[key].type, value, f"{where}: {key}")
            for key, value in values.items()
        }
    )


def _convert(expected, value, where):
    if dataclasses.is_dataclass(expected):
        return _build(expected, value, where)
    kind = getattr(expected, "__origin__", expected)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        hint = " (write 1.0e-3, not 1e-3)" if kind is float and isinstance(value, str) else ""
        raise XcosError(f"{where} must be of type {kind.__name__}; it is {value!r}{hint}")
    return value
