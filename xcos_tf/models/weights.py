"""Weights in safetensors, keyed by layer path, free of any Keras version."""

import functools
import math
import os
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import tensorflow as tf
from safetensors import SafetensorError
from safetensors.numpy import load, save

from xcos_tf.environment import keras
from xcos_tf.errors import XcosError, explained
from xcos_tf.files import replace_file

LARGEST_WEIGHTS = 2**32
"""Bytes of a file."""

# Keras 2 and Keras 3 name the same variable differently.
_SAME_NAME = {"depthwise_kernel": "kernel"}


def variable_path(variable) -> str:
    """Return a variable's own path, as "conv/kernel": Keras 3's, or the name on Keras 2.

    TensorFlow's distributed variables, which Keras 2 hands out, must not be asked for what they do
    not have: some of them are then read, by all workers at once.
    """
    is_tensorflows = isinstance(variable, tf.Variable)
    return (variable.name if is_tensorflows else variable.path).split(":")[0]


def named_weights(model: keras.Model, prefix: str = "") -> dict:
    """Return {layer path: variable} of every weight of a functional model, nested models included.

    A path is the layers' names and the variable's, as in "backbone/stem_conv/kernel". Of an `XCos`
    or a `FaceEmbedder` the first is the name of one of its `parts`.
    """
    named = {}
    for layer in getattr(model, "parts", model.layers):
        path = f"{prefix}{layer.name}/"
        if isinstance(layer, keras.Model):
            named.update(named_weights(layer, path))
            continue
        for number, variable in enumerate(layer.weights):
            name = variable.name.split("/")[-1].split(":")[0]
            name = re.sub(r"^variable_\d+$", "variable", name)  # Keras counts those without one
            key = path + _SAME_NAME.get(name, name)
            # The parts of one layer may have weights of one name.
            named[f"{key}_{number}" if key in named else key] = variable
    return named


def read_arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """Return {layer path: float32 array} of the model's present weights."""
    return {path: np.asarray(variable) for path, variable in named_weights(model).items()}


def assign_arrays(model: keras.Model, arrays: Mapping[str, np.ndarray], source: str) -> None:
    """Set every weight of `model` from {layer path: array}.

    Args:
        arrays: exactly the model's weights, by path; dtypes are cast to the variables'.
        source: where the arrays come from, for the error's sentence.

    Raises:
        XcosError: a weight is missing, unexpected, misshapen or neither a float nor of the
            variable's type; the sentence names them, and the model is left as it was.
    """
    variables = named_weights(model)
    misshapen, mistyped = [], []
    for path in sorted(variables.keys() & arrays.keys()):
        variable, array = variables[path], arrays[path]
        if tuple(array.shape) != tuple(variable.shape):
            there = tuple(variable.shape)
            misshapen.append(f"{path} is {tuple(array.shape)} instead of {there}")
        if array.dtype.kind != "f" and array.dtype != np.asarray(variable).dtype:
            mistyped.append(f"{path} is {array.dtype}")
    wrong = told_wrong(
        missing=variables.keys() - arrays.keys(),
        unexpected=arrays.keys() - variables.keys(),
        misshapen=misshapen,
        of_another_type=mistyped,
    )
    if wrong:
        raise XcosError(
            f"{source} does not fit the model {model.name!r} ({wrong}); use the weights and the "
            "configuration that were saved together"
        )
    for path, variable in variables.items():
        variable.assign(arrays[path])


def told_wrong(**problems: Iterable[str]) -> str:
    """Return what is wrong with weights, a few of each kind: `missing: a, b; unexpected: c`."""
    told = []
    for kind, found in problems.items():
        names = sorted(found)
        rest = f" and {len(names) - 5} more" if len(names) > 5 else ""
        if names:
            told.append(f"{kind.replace('_', ' ')}: {', '.join(names[:5])}{rest}")
    return "; ".join(told)


def save_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Write the model's weights to one safetensors file, whole or not at all."""
    arrays = {key: np.asarray(value, order="C") for key, value in read_arrays(model).items()}
    content = save(arrays)
    replace_file(Path(path), lambda stream: stream.write(content))


def parse_arrays(content: bytes, path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Return {layer path: array} of a safetensors file's content.

    Raises:
        XcosError: it is not whole, an array is of a type that NumPy lacks, or holds NaN or
            infinity.
    """
    errors = SafetensorError, ValueError, TypeError, OverflowError
    what = f"the weights file {path} is damaged or not safetensors"
    try:
        with explained(what, "get it again", errors):
            arrays = load(content)
    except KeyError as error:
        raise XcosError(
            f"the weights file {path} has weights of the type {error}, which cannot be used; save "
            "them as float32"
        ) from None
    for name, array in arrays.items():
        if array.dtype.kind in "fc" and not np.isfinite(array).all():
            raise XcosError(
                f"the weights file {path} has a weight that is not finite ({name}); get it again"
            )
    return arrays


@contextmanager
def weights_at_most(numbers: int) -> Iterator[None]:
    """Raise ValueError for layers that are built within the block with more weights than that.

    Nothing is taken for those that are too many. Other threads are not concerned.
    """
    add, thread, left = keras.layers.Layer.add_weight, threading.get_ident(), numbers

    @functools.wraps(add)
    def counted(layer, *args, **kwargs):
        nonlocal left
        shape = kwargs.get("shape")
        if shape is not None and threading.get_ident() == thread:
            left -= math.prod(int(x) for x in shape)
            if left < 0:
                raise ValueError("it has more weights than its file")
        return add(layer, *args, **kwargs)

    keras.layers.Layer.add_weight = counted
    try:
        yield
    finally:
        keras.layers.Layer.add_weight = add
