"""A preset as a SavedModel where TF Serving looks for it: NAME/VERSION/."""

import os
from pathlib import Path

import tensorflow as tf

from xcos_tf.errors import XcosError
from xcos_tf.export.model_versions import check_name, choose_version
from xcos_tf.export.publishing import published_folder
from xcos_tf.export.served_model import ServedModel
from xcos_tf.files import check_can_write
from xcos_tf.models.network import XCosNetwork
from xcos_tf.models.preset_threshold import preset_threshold
from xcos_tf.models.presets import load_preset

FMR = 1e-3
"""The false match rate whose threshold decides `same`."""


def export_saved_model(
    preset: str | os.PathLike,
    folder: str | os.PathLike,
    name: str | None = None,
    version: int | None = None,
) -> Path:
    """Write folder/NAME/VERSION, whole or not at all.

    Args:
        preset: name or folder of an xCos preset.
        folder: that holds one folder for each model.
        name: what the model is served as; the preset's name by default.
        version: at least 1; by default the one after the highest there is.

    Returns:
        The version's folder.

    Raises:
        XcosError: there is no such preset, it has no maps or no threshold, the name or version
            will not do, the version is there already, or the folder cannot be written.
    """
    loaded = load_preset(preset)
    config = loaded.config
    if not isinstance(loaded.network, XCosNetwork):
        raise XcosError(
            f"the preset {config['name']!r} gives no maps and has no served form; export an xCos "
            "preset, such as xcos-mobilefacenet"
        )
    attention = tuple(loaded.network.comparisons)[-1]
    threshold = preset_threshold(config, attention, FMR)
    model_folder = Path(folder) / check_name(config["name"] if name is None else name)
    version = choose_version(model_folder, version)
    path = model_folder / str(version)
    check_can_write(path, within=model_folder)
    served = ServedModel(loaded.network, attention, threshold)
    try:
        model_folder.mkdir(parents=True, exist_ok=True)
        with published_folder(path) as hidden:
            tf.saved_model.save(served, str(hidden), signatures=served.named)
    except (OSError, tf.errors.OpError) as error:
        raise XcosError(
            f"cannot write {path} ({error}); free some space or choose another folder"
        ) from None
    return path
