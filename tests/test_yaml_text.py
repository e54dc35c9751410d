"""YAML that anybody may have written."""

import math

import pytest

from xcos_tf.errors import XcosError
from xcos_tf.yaml_text import parse_yaml, to_yaml


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: 1e-3", 0.001),
        ("a: 1E+3", 1000.0),
        ("a: -.5", -0.5),
        ("a: 010", 10),
        ("a: 0o17", 15),
        ("a: yes", "yes"),
        ("a: 1:30", "1:30"),
        ("a: 2024-01-01", "2024-01-01"),
        ("a: ~", None),
        ("a: !!str 3", "3"),
        ("\ufeffa: é", "é"),
        ("a: 1\r\n", 1),
        ("a: .inf", math.inf),
        ("b: &x {c: 1}\na: {<<: *x, d: 2}", {"c": 1, "d": 2}),
        ("b: &x [1, 2]\na: [*x, *x]", [[1, 2], [1, 2]]),
    ],
)
def test_plain_values(text, value):
    found = parse_yaml(text.encode(), "it")["a"]
    assert (type(found), found) == (type(value), value)


LAUGHS = "\n".join(
    ["a0: &a0 [x, x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 10))]
)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("a: 1\na: 2", 'line 2: found duplicate key "a"'),
        ("b: {c: 1, c: 1}", 'line 1: found duplicate key "c"'),
        (LAUGHS, "aliases stand for too much"),
        (LAUGHS.replace("[x, x]", "{k: x}").replace("[", "{<<: [").replace("]", "]}"), "too much"),
        (f"a: &a {'x' * 60_000}\nb: [{', '.join(['*a'] * 50)}]", "aliases stand for too much"),
        ("a: &a [*a]", "nested too deeply"),
        ("a: &a {b: *a}", "nested too deeply"),
        ("a: " + "[" * 30 + "]" * 30, "nested too deeply"),
        ("a: " + "[" * 20_000, "nested too deeply"),
        ("- " * 20_000, "nested too deeply"),
        ("a: " + "9" * 60_000, "line 1: a number is too long"),
        ("a: 0x" + "f" * 60_000, "line 1: a number is too long"),
        ("a: !!int xx", "invalid literal"),
        ("a: !!bool xx", "xx"),
        ("a: 0x_", "invalid literal"),
        ("a: !!python/object/apply:os.system ['true']", "the tag .* stands for no plain value"),
        ("a: !!binary aGk=", "stands for no plain value"),
        ("a: !!set {b}", "stands for no plain value"),
        ("a: !mine 3", "stands for no plain value"),
        ("1: 2", "line 1: a key is not text"),
        ("? [a]\n: 2", "a key is not text"),
        ('a: "\\ud800"', "surrogates not allowed"),
        ("a: \x00", "special characters"),
        ("--- 1\n--- 2", "another document"),
        ("a: *b", "undefined alias"),
        ("a: [1", "line 1"),
        ("%YAML 9.9\n---\na: 1", "incompatible"),
        ("#" * 2**16 + "#", "larger than 65536 bytes"),
        (b"\xff\xfea", "utf-8"),
    ],
)
def test_what_is_no_plain_value_is_one_sentence(text, reason):
    content = text if isinstance(text, bytes) else text.encode()
    with pytest.raises(XcosError, match=f"^it is not proper YAML \\(.*{reason}") as caught:
        parse_yaml(content, "it")
    assert "\n" not in str(caught.value) and len(str(caught.value)) < 400


VALUE = {
    "numbers": [1, -1, 1e-5, 1e300, 0.1, 1.0],
    "words": ["yes", "null", "1e-3", "2024-01-01", "", " a ", "a: b", "#", "<<", "é", "a\nb", "-"],
    "more": [True, None, {}, [], {"z": {"a": "long " * 50}}, "~", "=", "0x1F", "\ttab", "%", "*a"],
}


def test_what_is_written_reads_back_the_same():
    shared = [1, 2]
    value = {**VALUE, "b": shared, "a": shared}
    text = to_yaml(value)
    assert parse_yaml(text.encode(), "it") == value
    assert "&" not in text and list(parse_yaml(text.encode(), "it")) == list(value)
