"""Verification sets as InsightFace hands them out: `lfw.bin`, `cfp_fp.bin`, ...

Such a file is a pickle of (images, same): 2·P encoded images, bytes or uint8 arrays, of which each
two in a row are a pair, and P truth values. A pickle can run any program when it is loaded, so
this one is read with a stand-in for each of the few types it needs, and nothing else is let in;
NumPy's own loading code is not reached either. Source: insightface `recognition/arcface_torch/
eval/verification.py`.
"""

import hashlib
import os
import pickle
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from xcos_tf.data.records.source import Pairs, Record
from xcos_tf.errors import XcosError


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
        self._path = Path(path)
        self.name = self._path.name
        self.people: list[str] = []
        images, same = _load(self._path)
        self._images = [_as_bytes(image) for image in images]
        truth = [_as_truth(value) for value in same]
        if None in truth or not truth or len(images) != 2 * len(truth):
            raise XcosError(
                f"{path} holds {len(images)} images and {len(truth)} truth values, not two images "
                "for each; get the file again"
            )
        first = np.arange(0, len(images), 2, dtype=np.int64)
        self.pairs = Pairs(first, first + 1, np.array(truth, bool))
        self.size = sum(map(len, self._images))
        digest = hashlib.sha256(bytes(truth))
        for image in self._images:
            digest.update(hashlib.sha256(image).digest())
        self.fingerprint = digest.hexdigest()

    def __len__(self) -> int:
        return len(self._images)

    def read(self, start: int, stop: int) -> Iterator[Record]:
        """Yield the records from position `start` up to `stop`."""
        for i in range(start, stop):
            yield Record(str(i), i // 2, self._images[i])


def _load(path: Path) -> tuple[list, list]:
    try:
        with open(path, "rb") as stream:
            # With this encoding, Python 2's strings, which held the images, come out as bytes.
            content = _Unpickler(stream, encoding="bytes").load()
    except (XcosError, KeyboardInterrupt):
        raise
    except OSError as error:
        raise XcosError(f"{path} cannot be read ({error.strerror or error})") from None
    except Exception as error:  # a damaged pickle can bring up anything
        raise XcosError(
            f"{path} is not an InsightFace .bin set or is damaged ({type(error).__name__}: "
            f"{error}); get the file again"
        ) from None
    if isinstance(content, (tuple, list)) and len(content) == 2:
        images, same = (x.items() if isinstance(x, _Array) else x for x in content)
        if isinstance(images, (tuple, list)) and isinstance(same, (tuple, list)):
            return images, same
    raise XcosError(f"{path} does not hold a list of images and one of truth values")


def _as_bytes(image) -> bytes:
    """Return an image's bytes; empty, to be reported as such, if it is something else."""
    if isinstance(image, _Array):
        image = image.data if image.code == "u1" else b""
    return bytes(image) if isinstance(image, (bytes, bytearray)) else b""


def _as_truth(value) -> bool | None:
    return bool(value) if isinstance(value, (bool, int)) else None


class _Type:
    """Stands in for `numpy.dtype`: (code such as "u1", align, copy), then a state of no use."""

    def __init__(self, code, *_):
        self.code = code.decode("latin-1") if isinstance(code, bytes) else code

    def __setstate__(self, state):
        pass


class _Array:
    """Stands in for `numpy.ndarray`: takes its state, (version, shape, type, order, data)."""

    code, data = "", b""

    def __setstate__(self, state):
        _, _, kind, _, data = state
        self.code, self.data = kind.code, bytes(data) if _is_bytes(data) else b""

    def items(self) -> list | None:
        """Return the values of an array of booleans; None of any other."""
        return [bool(byte) for byte in self.data] if self.code == "b1" else None


def _is_bytes(data) -> bool:
    return isinstance(data, (bytes, bytearray, memoryview, pickle.PickleBuffer))


def _encode(text, encoding):
    """Stand in for `_codecs.encode`: how Python 3 writes bytes in protocols 0 to 2."""
    if encoding not in ("latin1", b"latin1") or not isinstance(text, str):
        raise pickle.UnpicklingError("an encoding other than latin1")
    return text.encode("latin-1")


def _no_bytes(*values):
    """Stand in for `bytes`: how Python 3 writes b"" in protocols 0 to 2."""
    if values:
        raise pickle.UnpicklingError("bytes made of something")
    return b""


def _scalar(kind, data):
    """Stand in for NumPy's scalars, of which a truth value is one."""
    return _bool_array(kind, data).items()[0]


def _bool_array(kind, data) -> _Array:
    array = _Array()
    array.__setstate__((1, (), kind, False, data))
    if array.code != "b1" or len(array.data) != 1:
        raise pickle.UnpicklingError("a number where a truth value should be")
    return array


def _from_buffer(data, kind, *_):
    """Stand in for how NumPy writes arrays in protocol 5."""
    array = _Array()
    array.__setstate__((1, (), kind, False, data))
    return array


_NUMPY = {
    "multiarray": {"_reconstruct": lambda *_: _Array(), "scalar": _scalar},
    "numeric": {"_frombuffer": _from_buffer},
}
_ALLOWED = {
    ("_codecs", "encode"): _encode,
    ("builtins", "bytes"): _no_bytes,
    ("__builtin__", "bytes"): _no_bytes,
    ("numpy", "ndarray"): _Array,
    ("numpy", "dtype"): _Type,
} | {
    (f"numpy.{core}.{module}", name): stand_in
    for core in ("core", "_core")
    for module, names in _NUMPY.items()
    for name, stand_in in names.items()
}


class _Unpickler(pickle.Unpickler):
    def find_class(self, module, name):
        try:
            return _ALLOWED[module, name]
        except KeyError:
            raise XcosError(
                f"the .bin file asks for {module}.{name}, which no set of images needs and which "
                "could be an attack; do not use this file"
            ) from None
