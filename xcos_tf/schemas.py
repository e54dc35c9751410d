"""What a file must hold, as pydantic models, and what is wrong with it in one sentence."""

import difflib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, TypeVar

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    ValidationError,
    model_validator,
)
from pydantic_core import PydanticCustomError

from xcos_tf.errors import XcosError, on_one_line, shown
from xcos_tf.files import read_json

# By pydantic's names of problems. What is not among them is said as pydantic does.
_ALLOWED = {
    "greater_than_equal": "must be {ge} or more",
    "greater_than": "must be above {gt}",
    "less_than_equal": "must be {le} or less",
    "less_than": "must be below {lt}",
    "finite_number": "must be a finite number",
    "int_type": "must be a whole number",
    "float_type": "must be a number",
    "bool_type": "must be true or false",
    "string_type": "must be text",
    "is_instance_of": "must be text",
    "string_unicode": "must be text in Unicode",
    "list_type": "must be a list",
    "too_short": "must hold {min_length} or more",
    "dict_type": "must hold keys and values",
    "model_type": "must hold keys and values",
    "value_error": "{error}",
}
_LONGEST_LINE = 1000
# What YAML 1.1 takes for true and false, and 1.2 for words.
_OLD_WORDS = {"yes": True, "on": True, "no": False, "off": False}


class Strict(BaseModel):
    """What a file holds: every key known, every value of its type, every number finite."""

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _check_keys(cls, values: Any) -> Any:
        if isinstance(values, Mapping) and cls.model_config["extra"] == "forbid":
            for key in values:
                if key not in cls.model_fields:
                    raise PydanticCustomError("unknown_key", "{key}", {"key": str(key), "of": cls})
        return values


def _line(text: str) -> str:
    if not 0 < len(text.strip()) <= len(text) <= _LONGEST_LINE or on_one_line(text) != text:
        raise ValueError(f"must be text of 1 to {_LONGEST_LINE} characters on one line")
    return text


def from_old_word(value: Any) -> Any:
    """Return true for `yes` and `on`, false for `no` and `off`, and anything else as it is."""
    return _OLD_WORDS.get(value.lower(), value) if isinstance(value, str) else value


def plain(largest: float) -> Any:
    """Return the type of a value of any shape whose numbers are of at most `largest` in size."""

    def check(value: Any) -> Any:
        values = [value]
        for one in values:
            if isinstance(one, dict):
                values += [*one.keys(), *one.values()]
            elif isinstance(one, list):
                values += one
            elif isinstance(one, (int, float)) and not abs(one) <= largest:  # or NaN
                raise ValueError(f"must have finite numbers of at most {largest}")
            elif not isinstance(one, (str, int, float, type(None))):
                raise ValueError("must be numbers, text, true, false, null, lists and mappings")
        return value

    return Annotated[object, AfterValidator(check)]


Line = Annotated[str, AfterValidator(_line)]
Switch = Annotated[bool, BeforeValidator(from_old_word)]


def first_problem(error: ValidationError) -> str:
    """Return the first problem in half a sentence: where it is, what is allowed, and what is there.

    A key is named by its dotted path. Of a value at most 100 characters are quoted.
    """
    try:
        first = error.errors(include_url=False)[0]
    except UnicodeEncodeError:  # of a lone surrogate, which JSON can write, pydantic cannot tell
        return "a key is no text that can be written"
    kind, context = first["type"], first.get("ctx", {})
    path = ".".join(str(key) for key in first["loc"] if key != "[key]")
    if kind == "missing":
        return f"{shown(path)} must be given"
    if kind == "unknown_key":
        key, known = context["key"], list(context["of"].model_fields)
        near = difflib.get_close_matches(key, known, n=1)
        hint = f"did you mean `{near[0]}`?" if near else f"known keys: {', '.join(known)}"
        return f"unknown key `{shown(f'{path}.{key}' if path else key)}`; {hint}"
    bounds = {k: int(v) if isinstance(v, float) and v == int(v) else v for k, v in context.items()}
    as_it_says = first["msg"].replace("Input should", "must").replace("String should", "must")
    allowed = _ALLOWED[kind].format(**bounds) if kind in _ALLOWED else as_it_says
    return f"{shown(path) or 'the whole'} {allowed}; it is {shown(repr(first['input']))}"


Schema = TypeVar("Schema", bound=Strict)


def read_ours(path: Path, schema: type[Schema], advice: str) -> Schema:
    """Read a JSON file of ours.

    Raises:
        XcosError: it is missing, damaged, or holds something else.
    """
    return check_ours(read_json(path, "the file", advice), schema, f"the file {path}", advice)


def check_ours(found: Any, schema: type[Schema], what: str, advice: str) -> Schema:
    """Return what a file of ours holds.

    Raises:
        XcosError: it is something else; `what` begins the sentence, and `advice` ends it.
    """
    try:
        return schema.model_validate(found)
    except ValidationError as error:
        raise XcosError(f"{what} is damaged ({first_problem(error)}); {advice}") from None
