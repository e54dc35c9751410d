"""From YAML to a dataclass, with every mistake named."""

import dataclasses
import difflib
import os
import types
import typing
from pathlib import Path
from typing import Any, TypeVar

import yaml

from xcos_tf.errors import XcosError

Section = TypeVar("Section")
EXTENDS = "extends"


def read_section(cls: type[Section], *paths: str | os.PathLike) -> tuple[Section, str]:
    """Read YAML files into a dataclass whose fields are their keys.

    A file may extend others: under `extends` it names one or a list, relative to itself. What it
    says itself goes over what they say, and a later one's over an earlier one's, key by key; so
    does a later one of `paths`.

    Returns:
        The dataclass, and the YAML text: the one file's own, or of all of them together.

    Raises:
        XcosError: a file is not there or not YAML, a key is unknown (the nearest known one is
            named) or missing, or a value has the wrong type.
    """
    paths = [Path(path) for path in paths]
    values, text = _read(paths[0], ())
    if len(paths) > 1 or (isinstance(values, dict) and EXTENDS in values):
        values = _joined(paths, ())
        text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True)
    return _build(cls, values, " + ".join(map(str, paths))), text


def _read(path: Path, before: tuple[Path, ...]) -> tuple[Any, str]:
    if path.resolve() in before:
        raise XcosError(f"{path} extends itself by way of others; take one `{EXTENDS}` out")
    try:
        text = path.read_text(encoding="utf-8-sig")
        return yaml.safe_load(text), text
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise XcosError(
            f"cannot read the configuration {path} ({reason}); give a YAML file"
        ) from None


def _merged(path: Path, values: dict, before: tuple[Path, ...]) -> dict:
    """Return what the extended files say, in their order, with `values` over it."""
    values = dict(values)
    names = values.pop(EXTENDS, [])
    names = [names] if isinstance(names, str) else names
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise XcosError(f"{path}: {EXTENDS} must name a file or a list of files; it is {names!r}")
    extended = _joined([path.parent / name for name in names], (*before, path.resolve()))
    return _overlaid(extended, values)


def _joined(paths: list[Path], before: tuple[Path, ...]) -> dict:
    """Return what files and those that they extend say, a later one over an earlier one."""
    result = {}
    for path in paths:
        values, _ = _read(path, before)
        if not isinstance(values, dict):
            raise XcosError(f"{path} must hold keys and values; it holds {values!r}")
        result = _overlaid(result, _merged(path, values, before))
    return result


def _overlaid(below: dict, above: dict) -> dict:
    """Return the two joined key by key, down through sections; `above` wins."""
    result = {**below}
    for key, value in above.items():
        both = isinstance(value, dict) and isinstance(below.get(key), dict)
        result[key] = _overlaid(below[key], value) if both else value
    return result


def _build(cls, values, where):
    if not isinstance(values, dict):
        raise XcosError(f"{where} must hold keys and values; it holds {values!r}")
    fields = {f.name: f for f in dataclasses.fields(cls)}
    for key in values:
        if key not in fields:
            near = difflib.get_close_matches(str(key), fields, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"known keys: {', '.join(fields)}"
            raise XcosError(f"{where} has an unknown key {key!r}; {hint}")
    missing = [
        name
        for name, f in fields.items()
        if f.default is dataclasses.MISSING
        and f.default_factory is dataclasses.MISSING
        and name not in values
    ]
    if missing:
        raise XcosError(f"{where} lacks {', '.join(missing)}; add it")
    return cls(
        **{
            key: _convert(fields[key].type, value, f"{where}: {key}")
            for key, value in values.items()
        }
    )


def _convert(expected, value, where) -> Any:
    if dataclasses.is_dataclass(expected):
        return _build(expected, value, where)
    if isinstance(expected, types.UnionType):  # "X | None"
        if value is None:
            return None
        expected = next(kind for kind in typing.get_args(expected) if kind is not type(None))
    kind, items = typing.get_origin(expected) or expected, typing.get_args(expected)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        hint = " (write 1.0e-3, not 1e-3)" if kind is float and isinstance(value, str) else ""
        raise XcosError(f"{where} must be of type {kind.__name__}; it is {value!r}{hint}")
    if kind is list and items:
        return [_convert(items[0], item, where) for item in value]
    if kind is dict and items:
        return {
            _convert(items[0], key, where): _convert(items[1], item, f"{where}: {key}")
            for key, item in value.items()
        }
    return value
