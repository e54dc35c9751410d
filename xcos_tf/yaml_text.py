"""YAML 1.2 of plain values, which takes little time and memory whoever wrote it."""

import io
from typing import Any

from ruamel.yaml import YAML
from ruamel.yaml.constructor import ConstructorError, SafeConstructor
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.nodes import MappingNode, ScalarNode, SequenceNode

from xcos_tf.errors import XcosError, reason_of

LARGEST_YAML = 2**16
"""Bytes of a file."""

_LARGEST_VALUE = 2**18
"""Characters, and values, once every alias stands for what it names."""

_DEEPEST = 24
"""Lists and mappings within one another."""

_LONGEST_NUMBER = 100
_TAG = "tag:yaml.org,2002:"
_NUMBERS = (_TAG + "int", _TAG + "float")
_TAGS = {_TAG + name for name in ("null", "bool", "int", "float", "str", "seq", "map", "timestamp")}


class _Plain(SafeConstructor):
    """Builds nothing but mappings with keys of text, lists, text, numbers, true, false and null."""

    def construct_document(self, node):
        _check(node)
        return super().construct_document(node)


_Plain.add_constructor(_TAG + "timestamp", SafeConstructor.construct_yaml_str)  # as YAML 1.2 has it


def _check(node) -> None:
    left = _LARGEST_VALUE
    nodes = [(node, 1)]
    while nodes:
        node, depth = nodes.pop()
        if depth > _DEEPEST:
            raise _error("lists and mappings are nested too deeply", node)
        if node.tag not in _TAGS:
            raise _error(f"the tag {node.tag} stands for no plain value", node)
        left -= 1
        if isinstance(node, ScalarNode):
            left -= len(node.value)
            node.value.encode()  # half a character, written as an escape
            if node.tag in _NUMBERS and len(node.value) > _LONGEST_NUMBER:
                raise _error("a number is too long", node)
        elif isinstance(node, SequenceNode):
            nodes += [(value, depth + 1) for value in node.value]
        elif isinstance(node, MappingNode):
            for key, value in node.value:
                if key.tag == _TAG + "merge":  # `<<`, whose value is a mapping or a list of them
                    nodes.append((value, depth))
                elif key.tag != _TAG + "str":
                    raise _error("a key is not text; put it in quotes", key)
                else:
                    nodes += [(key, depth + 1), (value, depth + 1)]
        if left < 0:
            raise _error("its aliases stand for too much", node)


def _error(problem: str, node) -> ConstructorError:
    return ConstructorError(None, None, problem, node.start_mark)


def parse_yaml(content: bytes, what: object, advice: str = "mend it") -> Any:
    """Return what YAML in UTF-8 holds, with or without a byte order mark.

    `what` it is, or where, begins the error's sentence, and `advice` ends it.

    Raises:
        XcosError: it is not YAML, has a key twice, a key that is not text or a tag, or is too
            large, nested too deeply, or becomes too large by its aliases.
    """
    yaml = YAML(typ="safe", pure=True)
    yaml.Constructor = _Plain
    try:
        if len(content) > LARGEST_YAML:
            raise ValueError(f"larger than {LARGEST_YAML} bytes")
        return yaml.load(content.decode("utf-8-sig"))
    except RecursionError:
        reason = "nested too deeply"
    except MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}: " if mark else ""
        reason = f"{place}{error.problem or error.context}"
    except (YAMLError, ValueError, KeyError) as error:
        reason = reason_of(error)
    raise XcosError(f"{what} is not proper YAML ({reason}); {advice}")


def to_yaml(values: Any) -> str:
    """Return the YAML of plain values, with keys in their order; see `parse_yaml`."""
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = False
    yaml.sort_base_mapping_type_on_output = False
    yaml.representer.ignore_aliases = lambda data: True
    text = io.StringIO()
    yaml.dump(values, text)
    return text.getvalue()
