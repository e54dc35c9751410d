"""Reading a run's configuration, and what in it is out of range or cannot be combined."""

import os
from collections.abc import Iterator

from xcos_tf.errors import XcosError
from xcos_tf.models.attention import ATTENTIONS
from xcos_tf.models.builder import BACKBONES
from xcos_tf.training.config import PARTS, SCORES, TrainingConfig
from xcos_tf.training.config_reader import read_section


def read_config(*paths: str | os.PathLike) -> tuple[TrainingConfig, str]:
    """Read and check a run's YAML file, or several, of which a later one goes over an earlier one.

    Returns:
        The configuration, and the YAML text that describes it.

    Raises:
        XcosError: a file is not there or not YAML, a key is unknown (the nearest known one is
            named) or missing, a value has the wrong type or is out of range, or two of them
            cannot be combined.
    """
    config, text = read_section(TrainingConfig, *paths)
    for problem in problems(config):
        raise XcosError(f"{' + '.join(map(str, paths))}: {problem}")
    return config, text


def problems(c: TrainingConfig) -> Iterator[str]:
    """Yield what is out of range or cannot be combined, in the order of the file."""
    if ("xcos" in c.model) == ("embedding_head" in c.model) or "backbone" not in c.model:
        yield "model must hold `backbone` and either `xcos` or `embedding_head`"
    elif not isinstance(c.model["backbone"], dict) or "kind" not in c.model["backbone"]:
        yield f"model: backbone must hold `kind`, one of {', '.join(BACKBONES)}"
    if (c.epochs is None) == (c.steps is None):
        yield "give the run's length by one of `epochs` and `steps`"
    for where, key, choices in (
        (c.loss, "head", ("arcface", "cosface")),
        (c.loss, "teacher_sees", ("changed", "original")),
        (c.loss, "balance", (None, "genuine")),
        (c.loss.identification, "feature", ("flattened", "cells")),
        (c.schedule, "kind", ("step", "cosine", "constant")),
        (c.devices, "strategy", ("one", "mirrored", "multi_worker")),
        (c.devices, "precision", ("float32", "mixed_float16", "mixed_bfloat16")),
        (c.start, "grid_head", (None, "linear_tail")),
        (c.finish, "weights", ("best", "last")),
        (c.validation, "best_metric", ("tar_at_far_1e-3", "eer")),
        (c.validation, "best_by", (None, "cosine", "learned", "patched", "correlated")),
    ):
        value = getattr(where, key)
        if value not in choices:
            named = ", ".join(str(choice) for choice in choices if choice)
            yield f"{section_of(c, where)}: {key} must be one of {named}; it is {value!r}"
    yield from _out_of_range(c)
    yield from list(_wrong_batch(c)) or _impossible(c)  # which reckons with the batch


def section_of(config: TrainingConfig, section) -> str:
    """Return the key under which a configuration holds one of its sections."""
    if section is config.loss.identification:
        return "loss: identification"
    return next(key for key, value in vars(config).items() if value is section)


def _out_of_range(c):
    least_one = [(c.batch, key) for key in ("groups", "people", "faces", "accumulate", "times")]
    least_one += [(c.devices, "logical_cpus"), (c.devices, "steps_per_execution")]
    least_one += [(c.checkpoint, "every"), (c.checkpoint, "keep")]
    least_one += [(c.data, "validation_faces"), (c, "steps"), (c.validation, "every")]
    least_one += [(c.loss, "sample")]
    least_zero = [(c.batch, "pairs"), (c, "epochs"), (c.schedule, "warmup"), (c, "seed")]
    least_zero += [(c.loss, key) for key in ("locality", *SCORES)]
    least_zero += [(c.loss.identification, "weight")]
    least_zero += [(c.loss, "margin"), (c.loss, "scale"), (c.checkpoint, "minutes")]
    least_zero += [(c.finish, "correlation_pairs"), (c.finish, "threshold_pairs")]
    least_zero += [(c.validation, "genuine"), (c.validation, "impostor")]
    shares = [(c.augmentation, key) for key in vars(c.augmentation)]
    shares += [(c.batch, "genuine"), (c.schedule, "factor")]
    for fields, low, high in ((least_one, 1, None), (least_zero, 0, None), (shares, 0, 1)):
        for where, key in fields:
            value = getattr(where, key)
            if value is not None and (value < low or (high is not None and value > high)):
                prefix = "" if where is c else f"{section_of(c, where)}: "
                limit = f"{low} or more" if high is None else f"from {low} to {high}"
                yield f"{prefix}{key} must be {limit}; it is {value}"
    if not c.data.sets:
        yield "data: sets must name one prepared set or more"
    for name in c.data.hold_out:
        if name not in c.data.sets:
            yield f"data: hold_out names {name!r}, which is not among the sets"
    if c.schedule.drops != sorted(set(c.schedule.drops)):
        yield f"schedule: drops must ascend; they are {c.schedule.drops}"
    if c.schedule.drops and c.schedule.drops[0] <= c.schedule.warmup:
        yield "schedule: the first of drops must come after warmup"


def _wrong_batch(c):
    if c.epochs is None:
        for key in ("groups", "people", "faces"):
            if getattr(c.batch, key) is None:
                yield f"batch: a run of steps needs {key}"
        return
    for key in ("groups", "people"):
        if getattr(c.batch, key) is not None:
            yield (
                f"batch: {key} belongs to a run of steps; a run of epochs takes pairs, or faces "
                "for a baseline without pairs"
            )
    if bool(c.batch.pairs) == bool(c.batch.faces):
        yield "batch: a run of epochs takes either pairs or faces; give how many a step has"


def _impossible(c):
    if not any((c.loss.identification.weight, *c.scores)):
        yield "loss: all weights are 0; give one of them"
    for score in c.scores:
        if c.explains == (score == "cosine"):
            belongs = "a baseline's" if c.explains else "of a model with `xcos`"
            other = "learned, patched or correlated" if c.explains else "cosine"
            yield f"loss: {score} is {belongs}; give {other}"
    if c.scores and not c.teacher:
        yield f"loss: {c.scores[0]} needs a `teacher`, such as mobilefacenet"
    if c.scores and not c.batch.pairs:
        yield f"loss: {c.scores[0]} needs batch: pairs above 0"
    if c.teacher and not c.scores:
        yield f"teacher is given, but no weight of L_cos ({', '.join(SCORES)})"
    if c.loss.teacher_sees == "original" and (c.augmentation.blend or not c.teacher):
        yield "loss: teacher_sees original needs a `teacher`, and augmentation: blend 0"
    if c.loss.locality and not c.explains:
        yield "loss: locality is of cells; give a model with `xcos`"
    shown = c.batch.parts * c.batch.people if c.batch.groups else c.batch.images
    if c.loss.sample is not None and c.loss.sample < shown:
        yield (
            f"loss: sample must be at least the {shown} people that a batch can show; it is "
            f"{c.loss.sample}"
        )
    if c.batch.parts % c.batch.accumulate:
        part = "groups" if c.batch.groups else "pairs" if c.batch.pairs else "faces"
        yield f"batch: {part} must be a multiple of accumulate"
    if c.epochs is not None and c.loss.balance == "genuine":
        yield (
            "loss: balance genuine needs as many genuine pairs in each group, and a run of epochs "
            "leaves them to chance; give steps, or leave balance out"
        )
    if c.start.grid_head and not (c.explains and c.start.preset):
        yield "start: grid_head needs a model with `xcos`, and start: preset"
    if c.start.frozen_until and not (c.start.preset or c.start.checkpoint):
        yield "start: frozen_until needs start: preset or checkpoint, whose layers stay as they are"
    if c.optimizers.attention and not c.loss.learned:
        yield "optimizers: attention trains L, but loss: learned has no weight"
    if c.optimizers.margin_head and not c.loss.identification.weight:
        yield "optimizers: margin_head is trained by L_id, but loss: identification has no weight"
    if not any(getattr(c.optimizers, part) for part in PARTS):
        yield f"optimizers: no part has one; give {', '.join(PARTS)} theirs"
    if c.devices.logical_cpus > 1 and c.devices.strategy != "mirrored":
        yield "devices: logical_cpus above 1 needs strategy: mirrored"
    if c.schedule.drops and c.schedule.kind != "step":
        yield f"schedule: drops belong to kind: step; it is {c.schedule.kind}"
    if c.validation.best_by == "cosine" and c.explains:
        yield "validation: best_by cosine is a baseline's; give learned, patched or correlated"
    if c.explains and isinstance(c.model["xcos"], dict):
        has = c.model["xcos"].get("attentions", ATTENTIONS)
        for score in (*c.scores, c.best_by):
            if score not in has:
                yield f"{score} is wanted, and model: xcos: attentions has {', '.join(has)} alone"
    if c.validation.best_by not in (None, "cosine") and not c.explains:
        yield f"validation: best_by {c.validation.best_by} needs a model with `xcos`"
