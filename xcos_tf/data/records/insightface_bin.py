"""Verification sets as InsightFace hands them out: `lfw.bin`, `cfp_fp.bin`, ...

Such a file is a pickle of (images, same): 2·P encoded images, bytes or uint8 arrays, of which each
two in a row are a pair, and P truth values. Source: insightface
`recognition/arcface_torch/eval/verification.py`.

A pickle is a program: it can call any function of Python and ask for any amount of memory, and this
one comes from a stranger. So the file's instructions are first gone through one by one, without
obeying them: only those that build lists, tuples, bytes, text, whole numbers and truth values may
be there, and none may reach further than the file does. Only then is it loaded, where each function
and class that it asks for is looked up among stand-ins for the few that such sets need; nothing
else is let in, and NumPy's own loading code is not reached either.
"""

import hashlib
import io
import os
import pickle
import pickletools
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from xcos_tf.data.records.source import Pairs, Record
from xcos_tf.errors import XcosError, counted, explained, reason_of
from xcos_tf.files import read_bytes

_NEEDED = (
    "PROTO FRAME STOP MARK EMPTY_LIST LIST APPEND APPENDS EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 "
    "NONE NEWTRUE NEWFALSE INT BININT BININT1 BININT2 LONG LONG1 "
    "STRING BINSTRING SHORT_BINSTRING UNICODE SHORT_BINUNICODE BINUNICODE BINUNICODE8 "
    "SHORT_BINBYTES BINBYTES BINBYTES8 BYTEARRAY8 "
    "PUT BINPUT LONG_BINPUT MEMOIZE GET BINGET LONG_BINGET "
    "GLOBAL STACK_GLOBAL REDUCE BUILD"
)
MOST_INSTRUCTIONS = 2_000_000
"""Which take two seconds. The sets that exist, of 14,000 images at most, have 30 for each."""

_INSTRUCTIONS = frozenset(_NEEDED.split())
_INTO_MEMO = frozenset(("PUT", "BINPUT", "LONG_BINPUT"))


class BinSource:
    """The images of a `.bin` set, in their order; a label is the position of the image's pair.

    The whole file is in memory, since a pickle cannot be read in parts: about 100 MB for the sets
    that exist, 12,000 to 14,000 faces.
    """

    kind = "insightface-bin"

    def __init__(self, path: str | os.PathLike):
        """Read the file.

        Raises:
            XcosError: it cannot be read, is no such pickle, or asks for something dangerous.
        """
        self.path = Path(path)
        self.name = self.path.name
        self.people: list[str] = []
        self._images, truth = load_bin(self.path)
        if None in truth:
            raise XcosError(
                f"the truth value {truth.index(None)} of {path} is neither true nor false; get the "
                "file again"
            )
        if not truth or len(self._images) != 2 * len(truth):
            raise XcosError(
                f"{path} holds {counted(len(self._images), 'image')} and "
                f"{counted(len(truth), 'truth value')}, not two images for each; get the file again"
            )
        first = np.arange(0, len(self._images), 2, dtype=np.int64)
        self.pairs = Pairs(first, first + 1, np.array(truth, bool))
        self.size = sum(map(len, self._images))
        digest = hashlib.sha256(bytes(truth))
        # The same bytes may be there any number of times, at no cost to the file's size.
        of_image = {image: hashlib.sha256(image).digest() for image in dict.fromkeys(self._images)}
        for image in self._images:
            digest.update(of_image[image])
        self.fingerprint = digest.hexdigest()

    def __len__(self) -> int:
        return len(self._images)

    def read(self, start: int, stop: int) -> Iterator[Record]:
        """Yield the records from position `start` up to `stop`."""
        for i in range(start, stop):
            yield Record(str(i), i // 2, self._images[i])


def load_bin(path: Path) -> tuple[list[bytes], list[bool | None]]:
    """Return a file's images and truth values.

    Something that is no image is empty, and something that is no truth value is None. What is
    there several times in the file, by reference, is there several times here, as one object.

    Raises:
        XcosError: it cannot be read, is no such pickle, or asks for something dangerous.
    """
    with explained(f"{path} cannot be read", "check the path"):
        content = read_bytes(path)
    try:
        _check_instructions(content)
        content = _Unpickler(content).load()
    except XcosError:
        raise
    except Exception as error:  # a damaged pickle can bring up anything
        reason = f"{type(error).__name__}: {reason_of(error)}"
        raise XcosError(
            f"{path} is not an InsightFace .bin set or is damaged ({reason}); get the file again"
        ) from None
    if isinstance(content, (tuple, list)) and len(content) == 2:
        images, same = (x.items() if isinstance(x, _Array) else x for x in content)
        if isinstance(images, (tuple, list)) and isinstance(same, (tuple, list)):
            return _as_bytes(images), [bool(x) if isinstance(x, int) else None for x in same]
    raise XcosError(f"{path} does not hold a list of images and one of truth values")


def _check_instructions(content: bytes) -> None:
    """Go through the instructions and refuse, by XcosError, what a set of images does not need.

    Exceptions of many kinds say that the file is damaged, or something is longer than the file.
    """
    stream, count = io.BytesIO(content), 0
    while (code := stream.read(1).decode("latin-1")) != pickle.STOP.decode("latin-1"):
        opcode = pickletools.code2op.get(code)
        if opcode is None:
            raise pickle.UnpicklingError(f"no instruction {code!r}")
        if opcode.name not in _INSTRUCTIONS:
            raise XcosError(_attack(f"has the instruction {opcode.name}"))
        if opcode.name == "STRING":
            # Python 2's strings, which held the images; `pickletools` takes them for ASCII.
            argument = stream.readline()
        else:
            argument = opcode.arg.reader(stream) if opcode.arg else None
        # The unpickler makes room for all places up to the one that is named.
        if opcode.name in _INTO_MEMO and not 0 <= argument <= count:
            raise XcosError(_attack(f"asks for {argument:,} places in memory"))
        count += 1
        if count > MOST_INSTRUCTIONS:
            raise XcosError(_attack(f"has more than {MOST_INSTRUCTIONS:,} instructions"))


def _attack(what: str) -> str:
    return (
        f"the .bin file {what}, which no set of images needs and which could be an attack; do not "
        "use this file"
    )


def _as_bytes(images) -> list[bytes]:
    """Return images' bytes; empty, to be reported as such, where they are something else."""
    # What many images refer to is made into bytes once, or a small file would fill the memory.
    made: dict[int, bytes] = {}
    result = []
    for image in images:
        if isinstance(image, _Array):
            image = image.data if image.code == "u1" else b""
        if id(image) not in made:
            made[id(image)] = bytes(image) if isinstance(image, (bytes, bytearray)) else b""
        result.append(made[id(image)])
    return result


class _Type:
    """Stands in for `numpy.dtype`: (code such as "u1", align, copy), then a state of no use."""

    __slots__ = ("code",)

    def __init__(self, code, *_):
        self.code = code.decode("latin-1") if isinstance(code, bytes) else code

    def __setstate__(self, state):
        pass


class _Array:
    """Stands in for `numpy.ndarray`: takes its state, (version, shape, type, order, data)."""

    __slots__ = ("code", "data")

    def __init__(self):
        self.code, self.data = "", b""

    def __setstate__(self, state):
        _, _, kind, _, data = state
        self.code, self.data = kind.code, data if isinstance(data, (bytes, bytearray)) else b""

    def items(self) -> list | None:
        """Return the values of an array of booleans; None of any other."""
        return [bool(byte) for byte in self.data] if self.code == "b1" else None


class _Function:
    """Stands in for a function: can be called and, unlike a function, not be given attributes."""

    __slots__ = ("_call",)

    def __init__(self, call: Callable):
        self._call = call

    def __call__(self, *arguments):
        return self._call(*arguments)

    def __setstate__(self, state):
        raise pickle.UnpicklingError("a state for a function")


def _scalar(kind, data):
    """Stand in for NumPy's scalars, of which a truth value is one."""
    array = _from_buffer(data, kind)
    if array.code != "b1" or len(array.data) != 1:
        raise pickle.UnpicklingError("a number where a truth value should be")
    return array.items()[0]


def _from_buffer(data, kind, *_):
    """Stand in for how NumPy writes arrays in protocol 5."""
    array = _Array()
    array.__setstate__((1, (), kind, False, data))
    return array


_BYTES = (("builtins", "bytes"), ("__builtin__", "bytes"))
_NUMPY = {
    "multiarray": {"_reconstruct": lambda *_: _Array(), "scalar": _scalar},
    "numeric": {"_frombuffer": _from_buffer},
}


class _Unpickler(pickle.Unpickler):
    def __init__(self, content: bytes):
        # With this encoding, Python 2's strings, which held the images, come out as bytes.
        super().__init__(io.BytesIO(content), encoding="bytes")
        self._most = len(content)
        self._allowed = {
            ("_codecs", "encode"): _Function(self._encode),
            # How Python 3 writes b"" in protocols 0 to 2.
            **dict.fromkeys(_BYTES, _Function(lambda: b"")),
            ("numpy", "ndarray"): _Array,
            ("numpy", "dtype"): _Type,
        } | {
            (f"numpy.{core}.{module}", name): _Function(stand_in)
            for core in ("core", "_core")
            for module, names in _NUMPY.items()
            for name, stand_in in names.items()
        }

    def find_class(self, module, name):
        if (module, name) not in self._allowed:
            raise XcosError(_attack(f"asks for {module}.{name}"))
        return self._allowed[module, name]

    def _encode(self, text, encoding):
        """Stand in for `_codecs.encode`: how Python 3 writes bytes in protocols 0 to 2."""
        if encoding not in ("latin1", b"latin1") or not isinstance(text, str):
            raise pickle.UnpicklingError("an encoding other than latin1")
        # Honest text is encoded once; again and again, a small file would fill the memory.
        self._most -= len(text)
        if self._most < 0:
            raise XcosError(_attack("makes more bytes than it holds"))
        return text.encode("latin-1")
