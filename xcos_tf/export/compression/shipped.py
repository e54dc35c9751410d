"""Compressed networks as files beside a preset: compressed/{variant}.safetensors and record.json.

A file holds what `layout.simple_weights` names, in 16 bits, or for "qat" in 8: there each kernel,
rest of a slope and cell scale is int8 "operation/weight" with float32 "operation/weight_scale", and
float32 "result/range" says between which limits a result lies. record.json says of each variant
how it was made, from which weights, and its file's SHA-256.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf
from safetensors.numpy import save

from xcos_tf.errors import XcosError, explained
from xcos_tf.export.compression import COMPRESSED
from xcos_tf.export.compression.layout import grid_feature
from xcos_tf.export.compression.operations import (
    LEVELS,
    FloatOperations,
    Int8Operations,
    shared_axes,
)
from xcos_tf.files import file_sha256, read_json, replace_file, write_json
from xcos_tf.models.presets import read_checked
from xcos_tf.models.weights import parse_arrays

FOLDER, RECORD = "compressed", "record.json"
_SCALE, _RANGE = "_scale", "/range"
_INT8 = ("kernel", "rest", "scale")


@dataclass(frozen=True)
class CompressedNetwork:
    """What an exporter needs of a variant.

    Attributes:
        weights: {operation/weight: float32 array}; those of "qat" are multiples of a step.
        ranges: {result: float32 (min, max)} of "qat", else empty.
        record: how it was made.
    """

    weights: dict[str, np.ndarray]
    ranges: dict[str, np.ndarray]
    record: dict

    def grid(self, image: tf.Tensor, training: bool = False) -> tf.Tensor:
        """Return the grid features of images, float32 in [−1, 1]; it is always in inference."""
        if self.ranges:
            return grid_feature(image, Int8Operations(self.weights, self.ranges))
        return grid_feature(image, FloatOperations(self.weights))


def rounded_to_int8(name: str, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return a weight in steps from −127 to 127, int8, and float32 the size of its steps.

    Its name, "operation/weight", says by which steps are shared; see `shared_axes`.
    """
    axes = shared_axes(name)
    largest = np.abs(weight).max(axis=axes, keepdims=axes is not None)
    step = np.maximum(np.asarray(largest, np.float32) / LEVELS, 1e-12)
    return np.round(weight / step).astype(np.int8), step


def save_compressed(
    folder: Path, variant: str, arrays: Mapping[str, np.ndarray], record: dict
) -> None:
    """Write a variant's `Student.arrays` beside a preset, and of it into the preset's record.

    The record, JSON, gets the file's name and SHA-256 besides.
    """
    kept = {}
    for name, array in arrays.items():
        if variant == "qat" and name.split("/")[1] in _INT8:
            kept[name], kept[name + _SCALE] = rounded_to_int8(name, np.asarray(array, np.float32))
        else:
            kept[name] = np.asarray(array, np.float32 if variant == "qat" else np.float16)
    content = save({name: np.ascontiguousarray(x) for name, x in kept.items()})
    place = folder / FOLDER
    place.mkdir(exist_ok=True)
    path = place / f"{variant}.safetensors"
    replace_file(path, lambda stream: stream.write(content))
    records = _read_record(place) if (place / RECORD).exists() else {}
    records[variant] = {**record, "file": path.name, "sha256": file_sha256(path).hexdigest()}
    write_json(place / RECORD, dict(sorted(records.items())))


def load_compressed(folder: Path, config: dict, variant: str) -> CompressedNetwork:
    """Read a variant of a preset with this folder and configuration.

    Raises:
        XcosError: there is no such variant, the preset has none, its file is damaged, or it was
            made from other weights than the preset has.
    """
    if variant not in COMPRESSED:
        raise XcosError(
            f"there is no compressed variant {variant!r}; use one of {', '.join(COMPRESSED)}"
        )
    place, name = folder / FOLDER, config["name"]
    record = _read_record(place).get(variant) if (place / RECORD).is_file() else None
    if record is None:
        raise XcosError(
            f"the preset {name!r} has no {variant} weights; leave {variant} out, or make them with "
            "tools/compress_preset.py"
        )
    if record["preset_sha256"] != config["weights"]["sha256"]:
        raise XcosError(
            f"the {variant} weights of the preset {name!r} were made from other weights than it "
            "has now; make them again with tools/compress_preset.py"
        )
    path = place / record["file"]
    arrays = parse_arrays(read_checked(path, record["sha256"]), path)
    with _intact(path, KeyError, ValueError):
        weights, ranges = _unpacked(arrays)
    return CompressedNetwork(weights, ranges, record)


def _unpacked(arrays):
    """Raises KeyError if a scale is missing, and ValueError if one is of another shape."""
    weights, ranges = {}, {}
    with np.errstate(all="ignore"):
        for name, array in arrays.items():
            if name.endswith(_RANGE):
                ranges[name.removesuffix(_RANGE)] = array.astype(np.float32)
            elif array.dtype == np.int8:
                scale = np.broadcast_to(arrays[name + _SCALE], array.shape)
                weights[name] = array.astype(np.float32) * scale.astype(np.float32)
            elif not name.endswith(_SCALE):
                weights[name] = array.astype(np.float32)
    if not all(np.isfinite(x).all() for x in (*weights.values(), *ranges.values())):
        raise ValueError("a weight is not finite")
    if not all(x.shape == (2,) for x in ranges.values()):
        raise ValueError("a range is not two numbers")
    return weights, ranges


def _read_record(place):
    path = place / RECORD
    with _intact(path, KeyError, TypeError, AttributeError):
        records = read_json(path, "the record", "get the preset again")
        for record in records.values():
            record["file"] = Path(record["file"]).name
            for key in ("sha256", "preset_sha256"):
                if not isinstance(record[key], str):
                    raise TypeError(f"{key} is not a text")
        return records


def _intact(path: Path, *errors: type[Exception]):
    return explained(f"{path} is damaged", "get the preset again", errors)
