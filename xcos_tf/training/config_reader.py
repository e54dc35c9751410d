"""From YAML files to the configuration of a run, with every mistake named."""

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from xcos_tf.errors import XcosError, counted, shown
from xcos_tf.files import read_file
from xcos_tf.schemas import first_problem
from xcos_tf.training.config import PARTS, SCORES, TrainingConfig
from xcos_tf.yaml_text import LARGEST_YAML, parse_yaml, to_yaml

EXTENDS = "extends"
MOST_FILES = 100
MOST_FACES = 2**16
"""Of a step, over all replicas."""
MOST_FACES_OF_A_GROUP = 2**13
"""All pairs of which are listed."""
_ADVICE = "give a YAML file such as those of configs/"


def read_config(*paths: str | os.PathLike) -> tuple[TrainingConfig, str]:
    """Read and check a run's YAML file, or several, of which a later one goes over an earlier one.

    A file may extend others: under `extends` it names one or a list, relative to itself. What it
    says itself goes over what they say, and a later one's over an earlier one's, key by key; so
    does a later one of `paths`.

    Returns:
        The configuration, and the YAML text that describes it: the one file's own, or of all of
        them together.

    Raises:
        XcosError: a file is not there or not YAML; a key is unknown (the nearest known one is
            named) or missing; or a value has the wrong type, is out of range, or cannot be
            combined with another.
    """
    paths = [Path(path) for path in paths]
    values, text = _read(paths[0])
    if len(paths) > 1 or (isinstance(values, dict) and EXTENDS in values):
        values = _joined(paths, (), iter(range(MOST_FILES)))
        text = to_yaml(values)
    return check_config(values, " + ".join(map(str, paths))), text


def check_config(values, where: str) -> TrainingConfig:
    """Return the configuration that values describe; see `read_config` for errors.

    These begin with `where` the values are from.
    """
    try:
        config = TrainingConfig.model_validate(values)
    except ValidationError as error:
        raise XcosError(f"{where}: {first_problem(error)}") from None
    for problem in problems(config):
        raise XcosError(f"{where}: {problem}")
    return config


def _read(path: Path) -> tuple[object, str]:
    what = f"the configuration {path}"
    content = read_file(path, LARGEST_YAML, "the configuration", _ADVICE)
    return parse_yaml(content, what, _ADVICE), content.decode("utf-8-sig")


def _joined(paths: list[Path], before: tuple[str, ...], left: Iterator[int]) -> dict:
    """Return what files and those that they extend say, a later one over an earlier one."""
    result = {}
    for path in paths:
        values, _ = _read(path)
        real = os.path.realpath(path)
        if real in before:
            raise XcosError(f"{path} extends itself by way of others; take one `{EXTENDS}` out")
        if next(left, None) is None:
            raise XcosError(f"{path} is one of more than {MOST_FILES} files; extend fewer")
        if not isinstance(values, dict):
            raise XcosError(f"{path} must hold keys and values; it holds {shown(repr(values))}")
        names = values.pop(EXTENDS, [])
        names = [names] if isinstance(names, str) else names
        if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
            raise XcosError(
                f"{path}: {EXTENDS} must name a file or a list of files; it is {shown(repr(names))}"
            )
        others = [path.parent / name for name in names]
        extended = _joined(others, (*before, real), left)
        result = _overlaid(result, _overlaid(extended, values))
    return result


def _overlaid(below: dict, above: dict) -> dict:
    """Return the two joined key by key, down through sections; `above` wins."""
    result = {**below}
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(below.get(key), dict)
        result[key] = _overlaid(below[key], value) if both else value
    return result


def problems(c: TrainingConfig) -> Iterator[str]:
    """Yield what cannot be combined, in the order of the file."""
    if c.explains == (c.model.embedding_head is not None):
        yield "model must hold either `xcos` or `embedding_head`"
    if (c.epochs is None) == (c.steps is None):
        yield "give the run's length by one of `epochs` and `steps`"
    for key in ("hold_out", "weights"):
        for name in getattr(c.data, key):
            if name not in c.data.sets:
                yield f"data.{key} names {name!r}, which is not among data.sets"
    if c.data.weights and c.steps is None:
        yield "data.weights are chances of people, whom a run of steps draws; give steps"
    if c.data.remember:
        if not (c.start.frozen_until and c.teacher and c.steps):
            yield "data.remember needs start.frozen_until, a teacher and steps"
        if c.loss.teacher_input == "original":
            yield "data.remember keeps no images for loss.teacher_input: original"
        if c.devices.strategy == "multi_worker":
            yield "data.remember keeps faces beside the run of one machine; leave multi_worker out"
    if c.batch.near and not c.data.remember:
        yield "batch.near needs data.remember, which knows the teacher's cosines beforehand"
    drops = c.schedule.drops
    if drops != sorted(set(drops)):
        yield f"schedule.drops must ascend; they are {drops}"
    if drops and drops[0] <= c.schedule.warmup:
        yield "the first of schedule.drops must come after schedule.warmup"
    yield from list(_wrong_batch(c)) or _impossible(c)  # which reckons with the batch


def _wrong_batch(c):
    if c.epochs is None:
        for key in ("groups", "people", "faces"):
            if getattr(c.batch, key) is None:
                yield f"a run of steps needs batch.{key}"
                return
        if c.batch.people * c.batch.faces > MOST_FACES_OF_A_GROUP:
            yield (
                f"batch.people × batch.faces must be {MOST_FACES_OF_A_GROUP} or less; it is "
                f"{c.batch.people * c.batch.faces}; make more groups"
            )
    else:
        for key in ("groups", "people"):
            if getattr(c.batch, key) is not None:
                yield (
                    f"batch.{key} belongs to a run of steps; a run of epochs takes pairs, or faces "
                    "for a baseline without pairs"
                )
        if bool(c.batch.pairs) == bool(c.batch.faces):
            yield "a run of epochs takes either batch.pairs or batch.faces; give one, for a step"
            return
    pairs = c.batch.pairs * c.batch.times * (c.batch.groups or 1)
    if c.batch.images > MOST_FACES or pairs > 2**20:
        yield (
            f"batch must have at most {MOST_FACES} faces and {2**20} pairs in a step; it has "
            f"{c.batch.images} and {pairs}"
        )


def _impossible(c):
    if not any((c.loss.identification.weight, *c.scores)):
        yield "all weights of loss are 0; give one of them"
    for score in c.scores:
        if c.explains == (score == "cosine"):
            belongs = "a baseline's" if c.explains else "of a model with `xcos`"
            other = "learned, patched or correlated" if c.explains else "cosine"
            yield f"loss.{score} is {belongs}; give {other}"
    if c.scores and not c.teacher:
        yield f"loss.{c.scores[0]} needs a `teacher`, such as mobilefacenet"
    if c.scores and not c.batch.pairs:
        yield f"loss.{c.scores[0]} needs batch.pairs above 0"
    if c.teacher and not c.scores:
        yield f"teacher is given, but no weight of L_cos ({', '.join(SCORES)})"
    if c.loss.teacher_input == "original" and (c.augmentation.blend or not c.teacher):
        yield "loss.teacher_input: original needs a `teacher`, and augmentation.blend 0"
    if c.loss.covering and not (c.data.remember and c.loss.learned):
        yield "loss.covering needs data.remember, and a weight of loss.learned"
    if c.loss.covering and c.loss.covering.faces > c.batch.images:
        yield f"loss.covering.faces must be at most the {c.batch.images} faces of a step"
    if c.loss.head == "cosface" and c.loss.margin > 2:
        yield f"loss.margin of cosface must be 2 or less; it is {c.loss.margin}"
    shown = c.batch.parts * c.batch.people if c.batch.groups else c.batch.images
    if c.loss.sample is not None and c.loss.sample < shown:
        yield (
            f"loss.sample must be at least the {counted(shown, 'person', 'people')} that a batch "
            f"can show; it is {c.loss.sample}"
        )
    if c.batch.parts % c.batch.accumulate:
        part = "groups" if c.batch.groups else "pairs" if c.batch.pairs else "faces"
        yield f"batch.{part} must be a multiple of batch.accumulate"
    if c.epochs is not None and c.loss.balance == "genuine":
        yield (
            "loss.balance: genuine needs as many genuine pairs in each group, and a run of epochs "
            "leaves them to chance; give steps, or leave balance out"
        )
    if c.start.grid_head and not (c.explains and c.start.preset):
        yield "start.grid_head needs a model with `xcos`, and start.preset"
    if c.start.frozen_until and not (c.start.preset or c.start.checkpoint):
        yield "start.frozen_until needs start.preset or checkpoint, whose layers stay as they are"
    if c.optimizers.attention and not c.loss.learned:
        yield "optimizers.attention trains L, but loss.learned has no weight"
    seen = c.explains and c.loss.learned and c.model.xcos.context
    if c.optimizers.context and not seen:
        yield "optimizers.context: ridge needs model.xcos.context and a weight of loss.learned"
    if c.optimizers.context and c.devices.strategy == "multi_worker":
        yield "optimizers.context: ridge is fitted on one machine; leave multi_worker out"
    if c.optimizers.margin_head and not c.loss.identification.weight:
        yield "optimizers.margin_head is trained by L_id, but loss.identification has no weight"
    if not any(getattr(c.optimizers, part) for part in PARTS):
        yield f"no part of optimizers has one; give {', '.join(PARTS)} theirs"
    if c.devices.logical_cpus > 1 and c.devices.strategy != "mirrored":
        yield "devices.logical_cpus above 1 needs devices.strategy: mirrored"
    if c.schedule.drops and c.schedule.kind != "step":
        yield f"schedule.drops belong to schedule.kind: step; it is {c.schedule.kind}"
    if c.validation.best_by == "cosine" and c.explains:
        yield "validation.best_by: cosine is a baseline's; give learned, patched or correlated"
    if c.explains:
        has = c.model.xcos.attentions
        for score in (*c.scores, c.best_by):
            if score not in has:
                yield f"{score} is wanted, and model.xcos.attentions has {', '.join(has)} alone"
    if c.validation.best_by not in (None, "cosine") and not c.explains:
        yield f"validation.best_by: {c.validation.best_by} needs a model with `xcos`"
