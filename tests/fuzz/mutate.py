"""Seeded changes of what is right: to bytes, to text and to trees of JSON."""

import copy
import json
import re
import struct
from collections.abc import Callable, Sequence

import numpy as np

WHOLE = (
    *(0, 1, -1, 2, 3, 7, 15, 16, 127, 128, 255, 256, 1000, 65535, 65536, 10**6),
    *(
        2**24,
        2**31 - 1,
        2**31,
        2**32 - 1,
        2**32,
        2**48,
        2**53 + 1,
        2**63 - 1,
        2**63,
        2**64,
        -(2**63),
    ),
    *(10**18, 10**19, 10**40),
)
_REAL = (0.5, -0.0, 1e-3, 1e-320, 1e38, 1e39, 1e308, float("nan"), float("inf"), -float("inf"))
SPELLINGS = (
    *map(str, WHOLE),
    *("1e-3", "1e999", "-1e999", "NaN", "nan", "inf", "Infinity", "0x10", "1_000", "٣", "²", "½"),
    *("007", "+1", "1.", ".5", "1,5", "--1", "9" * 5000, "1e" + "9" * 30),
)
WORDS = (
    *("", " ", ".", "..", "/", "//", "../..", "/etc/passwd", "a/../../b", "C:\\x", "\\\\host\\x"),
    *("\0", "a\0b", "\n", "\r", "a\nb", "\u2028", "\x85", "\ufeff", "\ud800", "é", "e\u0301", "ß"),
    *(
        "\u202e",
        "😀",
        "%s",
        "%n",
        "{}",
        "{0}",
        "{x!r}",
        "true",
        "null",
        "None",
        "~",
        "=",
        "-",
        "--",
    ),
    *('"', "'", "`", ",", ";", "\t", "#", "&a", "*a", "!!python/object:os.system", "<<", "|", ">"),
    *("a" * 101, "b" * 256, "c " * 300, "d" * 5000, "é" * 300, "x\n" * 200),
)


def mutate_bytes(content: bytes, random: np.random.Generator, others: Sequence[bytes] = ()):
    """Return bytes with one to four changes.

    Args:
        content: what is right.
        random: draws them.
        others: that parts may be taken of.
    """
    data = bytearray(content)
    for _ in range(min(int(random.geometric(0.6)), 4)):
        _pick(random, _BYTES)(data, random, others or [content])
    return bytes(data)


def mutate_text(text: str, random: np.random.Generator) -> bytes:
    """Return a text with one to four tokens, lines or numbers changed, mostly in UTF-8."""
    for _ in range(min(int(random.geometric(0.6)), 4)):
        text = _pick(random, _TEXTS)(text, random)
    encoding = "utf-8" if random.random() < 0.97 else _pick(random, ("utf-16", "latin-1", "cp037"))
    errors = "surrogatepass" if encoding.startswith("utf") else "replace"
    return text.encode(encoding, errors)


def mutate_tree(tree, random: np.random.Generator):
    """Return a copy of nested dictionaries and lists with one to three nodes changed."""
    tree = [copy.deepcopy(tree)]
    for _ in range(min(int(random.geometric(0.7)), 3)):
        _change_node(tree, random)
    return tree[0]


def mutate_json(tree, random: np.random.Generator) -> bytes:
    """Return JSON that is near a tree's: another tree, other text, or other bytes."""
    kind = random.random()
    if kind < 0.7:
        return json.dumps(mutate_tree(tree, random)).encode("ascii")
    text = json.dumps(tree, indent=1)
    if kind < 0.9:
        return mutate_text(text, random)
    if kind < 0.92:
        depth = int(_pick(random, (20, 40, 500, 100_000)))
        opening, closing = _pick(random, (("[", "]"), ('{"a":', "}")))
        return (opening * depth + "1" + closing * depth).encode("ascii")
    return mutate_bytes(text.encode("utf-8"), random)


def odd_value(random: np.random.Generator):
    """Return something that JSON can hold, and that is seldom right."""
    kind = random.integers(8)
    if kind == 0:
        return _pick(random, (None, True, False))
    if kind in (1, 2):
        return _pick(random, WHOLE)
    if kind == 3:
        return _pick(random, _REAL)
    if kind in (4, 5):
        return _pick(random, WORDS)
    if kind == 6:
        return _pick(
            random, ([], {}, [[]], [None], [1, "a"], {"": None}, {"a": {"b": []}}, [0] * 999)
        )
    depth, value = int(random.integers(2, 60)), 1
    for _ in range(depth):
        value = [value] if random.random() < 0.5 else {"a": value}
    return value


def odd_array(array: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Return an array with a few numbers, its type, its shape or its length changed."""
    array = np.array(array)
    kind = random.integers(7)
    if kind <= 2 and array.size and array.dtype.kind in "iuf":
        for _ in range(int(random.integers(1, 4))):
            value = _pick(random, WHOLE if array.dtype.kind in "iu" else (*_REAL, *WHOLE))
            at = np.unravel_index(int(random.integers(array.size)), array.shape)
            with np.errstate(all="ignore"):
                array[at] = _within(value, array.dtype)
        return array
    if kind == 3:
        kinds = (
            "i1",
            "u1",
            "i4",
            "i8",
            "u8",
            "f2",
            "f4",
            "f8",
            "b1",
            "c8",
            "S3",
            "U3",
            ">i4",
            "M8[s]",
        )
        array = array.real if array.dtype.kind == "c" else array
        with np.errstate(all="ignore"):
            try:
                return array.astype(_pick(random, kinds))
            except (ValueError, TypeError, RuntimeError):
                return array.astype("U30")
    if kind == 4:
        shape = _pick(random, ((-1,), (1, -1), (-1, 1), (1, -1, 1, 1)))
        return array.reshape(shape)
    if kind == 5:
        return array.ravel()[: int(random.integers(array.size + 1))]
    return np.concatenate([array.ravel()] * 2) if random.random() < 0.7 else array.ravel()[:0]


def _within(value, kind: np.dtype):
    if kind.kind not in "iu":
        return value
    info = np.iinfo(kind)
    return int(min(max(value, info.min), info.max))


def _pick(random: np.random.Generator, values: Sequence):
    return values[int(random.integers(len(values)))]


def _place(data, random) -> int:
    """Return a position, rather at the beginning, where the headers are, or the very end."""
    kind = random.random()
    if kind < 0.4:
        return int(random.integers(min(len(data), 64) + 1))
    if kind < 0.5:
        return max(0, len(data) - int(random.integers(65)))
    return int(random.integers(len(data) + 1))


def _stretch(data, random) -> slice:
    start = _place(data, random)
    return slice(start, start + int(random.choice([1, 2, 4, 8, 16, 100, 1000])))


def _flip(data, random, others):
    for _ in range(int(random.integers(1, 5))):
        if data:
            data[min(_place(data, random), len(data) - 1)] ^= 1 << int(random.integers(8))


def _set_byte(data, random, others):
    if data:
        at = min(_place(data, random), len(data) - 1)
        data[at] = int(
            random.choice([0, 1, 0x7F, 0x80, 0xFF, 0x0A, 0x22, int(random.integers(256))])
        )


def _set_number(data, random, others):
    size = int(random.choice([1, 2, 4, 8]))
    value = _pick(random, WHOLE) % 2 ** (8 * size)
    at = _place(data, random)
    data[at : at + size] = value.to_bytes(size, _pick(random, ("little", "big")))


def _set_float(data, random, others):
    at = _place(data, random)
    data[at : at + 4] = struct.pack(
        "<f", _pick(random, (float("nan"), float("inf"), -1.0, 3e38, 0.5))
    )


def _cut_end(data, random, others):
    del data[_place(data, random) :]


def _cut_out(data, random, others):
    del data[_stretch(data, random)]


def _double(data, random, others):
    part = _stretch(data, random)
    data[part.stop : part.stop] = data[part] * int(random.choice([1, 1, 2, 100]))


def _insert(data, random, others):
    at, count = _place(data, random), int(random.choice([1, 2, 4, 16, 300]))
    data[at:at] = random.bytes(count)


def _insert_run(data, random, others):
    at, count = _place(data, random), int(random.choice([10, 1000, 100_000]))
    data[at:at] = bytes([int(random.choice([0, 0xFF, 0x28, 0x5B, 0x4E, 0x30]))]) * count


def _swap(data, random, others):
    a, b = _stretch(data, random), _stretch(data, random)
    data[a], data[b] = data[b], data[a]


def _splice(data, random, others):
    other = _pick(random, others)
    at, part = _place(data, random), _stretch(other, random)
    if random.random() < 0.3:
        data[at:] = other[min(at, len(other)) :]
    else:
        data[at:at] = other[part]


def _append(data, random, others):
    data += _pick(random, others)


_BYTES: tuple[Callable, ...] = (
    *(_flip, _flip, _set_byte, _set_number, _set_number, _set_float, _cut_end, _cut_out),
    *(_double, _insert, _insert_run, _swap, _splice, _append),
)

_TOKEN = re.compile(r"\s+|\w+|[^\w\s]")


def _other_number(text, random):
    numbers = list(re.finditer(r"-?\d[\d.]*(?:[eE][-+]?\d+)?", text))
    if not numbers:
        return text
    found = _pick(random, numbers)
    return text[: found.start()] + _pick(random, SPELLINGS) + text[found.end() :]


def _other_token(text, random):
    tokens = _TOKEN.findall(text)
    if tokens:
        tokens[int(random.integers(len(tokens)))] = _pick(random, WORDS)
    return "".join(tokens)


def _more_token(text, random):
    tokens = _TOKEN.findall(text)
    tokens.insert(int(random.integers(len(tokens) + 1)), _pick(random, WORDS))
    return "".join(tokens)


def _fewer_tokens(text, random):
    tokens = _TOKEN.findall(text)
    at = int(random.integers(len(tokens) + 1))
    del tokens[at : at + int(random.integers(1, 4))]
    return "".join(tokens)


def _swapped_tokens(text, random):
    tokens = _TOKEN.findall(text)
    if tokens:
        a, b = (int(x) for x in random.integers(len(tokens), size=2))
        tokens[a], tokens[b] = tokens[b], tokens[a]
    return "".join(tokens)


def _other_lines(text, random):
    lines = text.split("\n")
    at, to = (int(x) for x in random.integers(len(lines), size=2))
    kind = random.integers(4)
    if kind == 0:
        del lines[at]
    elif kind == 1:
        lines.insert(to, lines[at])
    elif kind == 2:
        lines[at], lines[to] = lines[to], lines[at]
    else:
        lines[at:at] = [lines[at]] * int(random.choice([3, 200]))
    return _pick(random, ("\n", "\n", "\n", "\r\n", "\r")).join(lines)


def _cut_text(text, random):
    return text[: int(random.integers(len(text) + 1))]


_TEXTS: tuple[Callable, ...] = (
    *(_other_number, _other_number, _other_token, _other_token, _more_token, _fewer_tokens),
    *(_swapped_tokens, _other_lines, _other_lines, _cut_text),
)


def _nodes(tree) -> list[tuple]:
    """Return (container, key) of every node."""
    found, level = [], [tree]
    while level:
        inner = []
        for node in level:
            keys = node if isinstance(node, dict) else range(len(node))
            for key in keys:
                found.append((node, key))
                if isinstance(node[key], (dict, list)):
                    inner.append(node[key])
        level = inner
    return found


def _change_node(tree, random) -> None:
    nodes = _nodes(tree)
    if not nodes:
        return
    holder, key = _pick(random, nodes)
    value, kind = holder[key], random.integers(12)
    if kind == 0 and holder is not tree:
        del holder[key]
    elif kind == 1 and isinstance(holder, dict):
        holder[_pick(random, (*WORDS, *holder, str(key).upper()))] = holder.pop(key)
    elif kind == 2:
        other, name = _pick(random, nodes)
        holder[key], other[name] = copy.deepcopy(other[name]), copy.deepcopy(value)
    elif kind == 3:
        holder[key] = _pick(random, ([value], {"a": value}, str(value), [value, value]))
    elif kind == 4 and isinstance(value, (list, dict)):
        if isinstance(value, list):
            value += copy.deepcopy(value) * int(random.choice([1, 50]))
        else:
            value[_pick(random, WORDS)] = odd_value(random)
    elif kind <= 7 and isinstance(value, (int, float)) and not isinstance(value, bool):
        holder[key] = _pick(
            random,
            (*WHOLE, *_REAL, -value, value + 1, value - 1, value * 2, value / 3, float(value)),
        )
    elif kind <= 7 and isinstance(value, str) and value:
        if random.random() < 0.5:
            holder[key] = mutate_text(value, random).decode("utf-8", "surrogateescape")
        else:
            holder[key] = _pick(random, WORDS)
    else:
        holder[key] = odd_value(random)
