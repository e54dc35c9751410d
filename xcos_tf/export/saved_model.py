"""A preset as a SavedModel where TF Serving looks for it: NAME/VERSION/."""

import os
from dataclasses import dataclass
from pathlib import Path

import tensorflow as tf

from xcos_tf.errors import XcosError
from xcos_tf.export.model_versions import check_name, choose_version
from xcos_tf.export.models_config import add_version, read_models
from xcos_tf.export.publishing import published_folder
from xcos_tf.export.served_model import ServedModel
from xcos_tf.export.server_files import write_missing_files
from xcos_tf.export.warmup import write_warmup
from xcos_tf.files import check_can_write, write_json
from xcos_tf.models.preset_threshold import preset_threshold
from xcos_tf.models.presets import Preset, find_preset, load_preset, read_config

FMR = 1e-3
"""The false match rate whose threshold decides `same`."""

ORIGIN_FILE = Path("assets.extra") / "xcos.json"


@dataclass(frozen=True)
class PlannedVersion:
    """A version that nothing is known to be in the way of.

    Attributes:
        preset: what is exported.
        folder: that holds the models.
        name, version: of the model.
        attention, threshold: what `same` is decided by.
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


def export_saved_model(
    preset: str | os.PathLike,
    folder: str | os.PathLike,
    name: str | None = None,
    version: int | None = None,
) -> Path:
    """Write folder/NAME/VERSION, whole or not at all, and the server's files beside NAME.

    Args:
        preset: name or folder of an xCos preset.
        folder: that holds one folder for each model.
        name: what the model is served as; the preset's name by default.
        version: at least 1; by default the one after the highest there is.

    Returns:
        The version's folder.

    Raises:
        XcosError: as `plan_version` and `publish_version`.
    """
    return publish_version(plan_version(preset, folder, name, version))


def plan_version(
    preset: str | os.PathLike,
    folder: str | os.PathLike,
    name: str | None = None,
    version: int | None = None,
) -> PlannedVersion:
    """Make sure that a version can be written, and write nothing; see `export_saved_model`.

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
            "preset, such as xcos-mobilefacenet"
        )
    attention = loaded.network.attention
    threshold = preset_threshold(config, attention, FMR)
    return PlannedVersion(loaded, folder, name, version, attention, threshold)


def publish_version(planned: PlannedVersion) -> Path:
    """Write a version and have it served; returns its folder.

    Raises:
        XcosError: something cannot be written.
    """
    path = planned.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with published_folder(path) as hidden:
            served = ServedModel(planned.preset.network, planned.attention, planned.threshold)
            tf.saved_model.save(served, str(hidden), signatures=served.named)
            write_warmup(hidden, planned.name, served.named)
            write_json(hidden / ORIGIN_FILE, _origin(planned))
        write_missing_files(planned.folder)
        add_version(planned.folder, planned.name, planned.version)
    except (OSError, tf.errors.OpError) as error:
        reason = getattr(error, "strerror", None) or error
        raise XcosError(
            f"cannot write {path} and the files around it ({reason}); free some space or choose "
            "another folder"
        ) from None
    return path


def _origin(planned: PlannedVersion) -> dict:
    """Return what tells one version from another, years later."""
    return {
        "format": 1,
        "preset": planned.preset.config["name"],
        "preset_sha256": planned.preset.config["weights"]["sha256"],
        "attention": planned.attention,
        "threshold": planned.threshold,
        "fmr": FMR,
    }
