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


def read_section(cls: type[Section], path: str | os.PathLike) -> tuple[Section, str]:
    """Read a YAML file into a dataclass whose fields are its keys; returns it and the text.

    Raises:
        XcosError: the file is not there or not YAML, a key is unknown (the nearest known one is
            named) or missing, or a value has the wrong type.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
        values = yaml.safe_load(text)
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise XcosError(
            f"cannot read the configuration {path} ({reason}); give a YAML file"
        ) from None
    return _build(cls, values, str(path)), text


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
