"""Weights in safetensors, keyed by layer path, free of any Keras version."""

import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file, save

from xcos_tf.environment import keras
from xcos_tf.errors import XcosError
from xcos_tf.files import replace_file

# Keras 2 and Keras 3 name the same variable differently.
_SAME_NAME = {"depthwise_kernel": "kernel"}


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
        for variable in layer.weights:
            name = variable.name.split("/")[-1].split(":")[0]
            named[path + _SAME_NAME.get(name, name)] = variable
    return named


def read_arrays(model: keras.Model) -> dict[str, np.ndarray]:
    """Return {layer path: float32 array} of the model's present weights."""
    return {path: np.asarray(variable) for path, variable in named_weights(model).items()}


def assign_arrays(model: keras.Model, arrays: Mapping[str, np.ndarray], source: str) -> None:
    """Set every weight of `model` from {layer path: array}.

    Args:
        model: a functional model.
        arrays: exactly the model's weights, by path; dtypes are cast to the variables'.
        source: where the arrays come from, for the error's sentence.

    Raises:
        XcosError: a weight is missing, unexpected or misshapen; the sentence names them, and the
            model is left as it was.
    """
    variables = named_weights(model)
    problems = []
    missing = sorted(set(variables) - set(arrays))
    unexpected = sorted(set(arrays) - set(variables))
    misshapen = [
        f"{path} is {tuple(arrays[path].shape)} instead of {tuple(variable.shape)}"
        for path, variable in sorted(variables.items())
        if path in arrays and tuple(arrays[path].shape) != tuple(variable.shape)
    ]
    for kind, paths in (("missing", missing), ("unexpected", unexpected), ("misshapen", misshapen)):
        if paths:
            rest = f" and {len(paths) - 5} more" if len(paths) > 5 else ""
            problems.append(f"{kind}: {', '.join(paths[:5])}{rest}")
    if problems:
        raise XcosError(
            f"{source} does not fit the model {model.name!r} ({'; '.join(problems)}); use the "
            "weights and the configuration that were saved together"
        )
    for path, variable in variables.items():
        variable.assign(arrays[path])


def save_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Write the model's weights to one safetensors file, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    arrays = {key: np.ascontiguousarray(value) for key, value in read_arrays(model).items()}
    content = save(arrays)
    replace_file(Path(path), lambda stream: stream.write(content))


def load_arrays(path: str | os.PathLike) -> dict[str, np.ndarray]:
    """Return {layer path: array} of a safetensors file.

    Raises:
        XcosError: the file is missing or not whole.
    """
    try:
        return load_file(path)
    except FileNotFoundError:
        raise XcosError(f"the weights file {path} does not exist; give an existing one") from None
    except (SafetensorError, OSError) as error:
        raise XcosError(
            f"the weights file {path} is damaged or not safetensors ({error}); get it again"
        ) from None


def load_weights(model: keras.Model, path: str | os.PathLike) -> None:
    """Set every weight of `model` from a safetensors file; see `assign_arrays` for errors."""
    assign_arrays(model, load_arrays(path), str(path))
