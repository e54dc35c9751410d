"""From YAML files to the configuration of a run, with every mistake named."""

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import ValidationError

from xcos_tf.errors import XcosError, shown
from xcos_tf.files import read_file
from xcos_tf.schemas import fault
from xcos_tf.training.config import TrainingConfig
from xcos_tf.training.config_rules import problems
from xcos_tf.yaml_text import LARGEST_YAML, parse_yaml, to_yaml

EXTENDS = "extends"
MOST_FILES = 100
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
        XcosError: a file is not there or not YAML, a key is unknown (the nearest known one is
            named) or missing, or a value has the wrong type or is out of range, or two of them
            cannot be combined.
    """
    paths = [Path(path) for path in paths]
    values, text = _read(paths[0])
    if len(paths) > 1 or (isinstance(values, dict) and EXTENDS in values):
        values = _joined(paths, (), iter(range(MOST_FILES)))
        text = to_yaml(values)
    return check_config(values, " + ".join(map(str, paths))), text


def check_config(values, where: str) -> TrainingConfig:
    """Return the configuration that values describe.

    Args:
        values: of a YAML file.
        where: they are from, for an error's sentence.

    Raises:
        XcosError: see `read_config`.
    """
    try:
        config = TrainingConfig.model_validate(values)
    except ValidationError as error:
        raise XcosError(f"{where}: {fault(error)}") from None
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
