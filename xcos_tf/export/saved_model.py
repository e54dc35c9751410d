"""A preset as a SavedModel where TF Serving looks for it: NAME/VERSION/."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tensorflow as tf

from xcos_tf.errors import XcosError, explained
from xcos_tf.export.models_config import (
    add_version,
    check_name,
    choose_version,
    message_class,
    read_models,
    write_missing_files,
)
from xcos_tf.export.served_model import ServedModel
from xcos_tf.files import check_can_write, write_json
from xcos_tf.models.preset_folder import DEFAULT_PRESET
from xcos_tf.models.preset_threshold import DEFAULT_FMR, preset_threshold
from xcos_tf.models.presets import Preset, find_preset, load_preset, read_config

ORIGIN_FILE = Path("assets.extra") / "xcos.json"
WARMUP_FILE = Path("assets.extra") / "tf_serving_warmup_requests"


@dataclass(frozen=True)
class PlannedVersion:
    """A version of a model, in the folder of all models, that nothing is known to be in the way of.

    By the attention and its threshold `same` is decided.
    """

    preset: Preset
    folder: Path
    name: str
    version: int
    attention: str
    threshold: float

    @property
    def path(self) -> Path:
        """The version's folder."""
        return self.folder / self.name / str(self.version)


def plan_version(
    preset: str | os.PathLike,
    folder: str | os.PathLike,
    name: str | None = None,
    version: int | None = None,
) -> PlannedVersion:
    """Make sure that a version can be written, and write nothing.

    Args:
        preset: name or folder of an xCos preset.
        folder: that holds one folder for each model.
        name: what the model is served as; the preset's name by default.
        version: at least 1; by default the one after the highest there is.

    Raises:
        XcosError: there is no such preset, it has no maps or no threshold, the name or version
            will not do, the version is there already, `models.config` would lose something, or
            the folder cannot be written.
    """
    folder, config = Path(folder), read_config(find_preset(preset))
    name = check_name(config["name"] if name is None else name)
    check_can_write(folder / name, within=folder / name)
    version = choose_version(folder / name, version)
    read_models(folder)
    loaded = load_preset(preset)
    if not loaded.network.explains:
        raise XcosError(
            f"the preset {config['name']!r} gives no maps and has no served form; export an xCos "
            f"preset, such as {DEFAULT_PRESET}"
        )
    attention = loaded.network.attention
    threshold = preset_threshold(config, attention, DEFAULT_FMR)
    return PlannedVersion(loaded, folder, name, version, attention, threshold)


def publish_version(planned: PlannedVersion) -> Path:
    """Write folder/NAME/VERSION, whole or not at all, and the server's files beside NAME.

    Returns the version's folder. Raises XcosError if something cannot be written.
    """
    path, config = planned.path, planned.preset.config
    origin = {  # what tells one version from another, years later
        "format": 1,
        "preset": config["name"],
        "preset_sha256": config["weights"]["sha256"],
        "attention": planned.attention,
        "threshold": planned.threshold,
        "fmr": DEFAULT_FMR,
    }
    what = f"cannot write {path} and the files around it"
    advice, errors = "free some space or choose another folder", (OSError, tf.errors.OpError)
    with explained(what, advice, errors):
        path.parent.mkdir(parents=True, exist_ok=True)
        with published_folder(path) as hidden:
            served = ServedModel(planned.preset.network, planned.attention, planned.threshold)
            tf.saved_model.save(served, str(hidden), signatures=served.named)
            write_warmup(hidden, planned.name, served.named)
            write_json(hidden / ORIGIN_FILE, origin)
        write_missing_files(planned.folder)
        add_version(planned.folder, planned.name, planned.version)
    return path


@contextlib.contextmanager
def published_folder(path: Path) -> Iterator[Path]:
    """Yield a hidden folder beside `path` to write into, which becomes `path` in the end.

    If the writing fails the hidden folder is removed; if the process is killed it stays, hidden.

    Raises:
        OSError: `path` is there already (unless it is an empty folder), or cannot be written.
    """
    hidden = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        yield hidden
        hidden.chmod(0o755)
        for folder, _, names in os.walk(hidden):
            for entry in (folder, *(os.path.join(folder, name) for name in names)):
                _flush(entry)
        os.rename(hidden, path)
        _flush(path.parent)
    except BaseException:
        shutil.rmtree(hidden, ignore_errors=True)
        raise


def _flush(path: str | os.PathLike) -> None:
    """Put a file or a folder's list of files onto the disk."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_warmup(
    version_folder: Path, name: str, signatures: Mapping[str, Callable[..., dict]]
) -> None:
    """Write one request for each signature, which TF Serving plays before it lets clients in.

    It is of one pair or face: a server that batches would refuse a larger one against many, and
    with it the version. The signatures are {name: traced function}.
    """
    path = version_folder / WARMUP_FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, function in signatures.items():
            log = message_class("PredictionLog")()
            request = log.predict_log.request
            request.model_spec.name = name
            request.model_spec.signature_name = signature
            for spec in function.input_signature:
                tensor = tf.make_tensor_proto(_example(spec)).SerializeToString()
                request.inputs.add(key=spec.name, value=tensor)
            writer.write(log.SerializeToString())


def _example(spec: tf.TensorSpec) -> np.ndarray:
    """Return a batch of one, random but always the same: zeros take less time than faces do."""
    random = np.random.default_rng(0)
    if spec.dtype == tf.string:
        face = random.integers(0, 256, (112, 112, 3), np.uint8)
        return np.array([tf.io.encode_jpeg(face).numpy()], object)
    if spec.dtype == tf.uint8:
        return random.integers(0, 256, (1, *spec.shape[1:]), np.uint8)
    return random.normal(size=(1, *spec.shape[1:])).astype(np.float32)
