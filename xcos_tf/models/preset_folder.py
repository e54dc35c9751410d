"""Where presets are: those that ship with the package, by name, and any other by its folder."""

import os
import re
from pathlib import Path

from xcos_tf.errors import XcosError

BUNDLED = Path(__file__).parents[1] / "presets"
DEFAULT_PRESET = "xcos-mobilefacenet-2"


def bundled_presets() -> list[str]:
    """Return the names of the presets that ship with the package."""
    return sorted(path.parent.name for path in BUNDLED.glob("*/config.json"))


def find_preset(name_or_folder: str | os.PathLike) -> Path:
    """Return the folder of a bundled preset, or the folder itself if it holds a preset.

    Raises XcosError if it is neither.
    """
    for folder in (BUNDLED / str(name_or_folder), Path(name_or_folder)):
        if os.path.isfile(folder / "config.json"):
            return folder
    raise XcosError(
        f"there is no preset {str(name_or_folder)!r}; use one of {', '.join(bundled_presets())}, "
        "or a folder that holds config.json and its weights"
    )


def namesake(preset: str) -> str:
    """Return the plain preset NAME of an xCos preset, which is called `xcos-NAME` or `xcos-NAME-2`.

    A plain preset's own name is returned as it is.
    """
    return re.sub(r"^xcos-(.*?)(-\d+)?$", r"\1", preset)


def lite_folder(preset: Path) -> Path:
    """Return where a preset's folder has its TFLite files, if it has any."""
    return preset / "lite"


def whatif_file(preset: Path) -> Path:
    """Return where a preset's folder has its model of covered cells, if it has one."""
    return preset / "whatif.tflite"
