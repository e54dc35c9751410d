"""Presets: a folder with `config.json`, one weights file, and perhaps pictures.

`config.json` holds: `format` (the version of this layout), `name`, `model` (see `build_network`),
`preprocessing`, `thresholds` ({score name: {FMR: threshold}}), `search` ({score name: {faces of a
gallery: threshold}}, for `FaceStore.find`), `training` (facts of how the
weights came about), `correlation` (P and how `xcos fit-correlation` measured it, if it did),
`licence`, `provenance` and `weights` (file name and SHA-256).
"""

import hashlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from safetensors import SafetensorError

from xcos_tf.environment import check_process, default_settings
from xcos_tf.errors import XcosError, explained, reason_of
from xcos_tf.files import check_can_write, file_sha256, read_file, replace_file
from xcos_tf.models.builder import build_network, describe
from xcos_tf.models.network import FaceEmbedder, XCos
from xcos_tf.models.preset_config import ADVICE, FORMAT, read_config
from xcos_tf.models.preset_folder import BUNDLED, bundled_presets, find_preset  # noqa: F401
from xcos_tf.models.weights import (
    LARGEST_WEIGHTS,
    assign_arrays,
    parse_arrays,
    save_weights,
    weights_at_most,
)
from xcos_tf.progress import log

WEIGHTS_FILE = "weights.safetensors"

_NUMBERS = re.compile(r"(?<=\[)\s*\n[-+.\de,\s]+(?=\])")

# How a photo becomes a backbone's input; every preset so far agrees on it.
PREPROCESSING = {
    "input": "uint8 RGB, 112×112, aligned by five landmarks",
    "normalisation": "(x − 127.5) / 128",
}


@dataclass(frozen=True)
class Preset:
    """A configuration and the network it describes, with weights loaded; and where it is from."""

    config: dict
    network: FaceEmbedder | XCos
    folder: Path | None = None


def load_preset(name_or_folder: str | os.PathLike, **options) -> Preset:
    """Load a bundled preset by name, or any preset by its folder.

    See `find_preset` for names and `build_network` for options.

    Raises:
        XcosError: there is none, its format is newer than this package, its weights file does not
            match its SHA-256, or the weights do not fit the model.
    """
    folder = find_preset(name_or_folder)
    config = read_config(folder)
    path = folder / Path(config["weights"]["file"]).name
    arrays = parse_arrays(read_checked(path, config["weights"]["sha256"]), path)
    check_process()
    try:
        # So that one that does not fit is described, but takes no more memory than its file.
        with default_settings(), weights_at_most(2 * sum(x.size for x in arrays.values()) + 2**20):
            network = build_network(config["model"], **options)
    except XcosError:
        raise
    except Exception as error:  # Keras's own are of any kind
        raise XcosError(
            f"{folder / 'config.json'} describes no model: {reason_of(error, 300)}"
        ) from None
    assign_arrays(network, arrays, str(path))
    log.debug(f"the preset {name_or_folder} is loaded")
    return Preset(config, network, folder)


def check_writable(folder: str | os.PathLike, extras: Iterable[str] = ()) -> None:
    """Fail before the work rather than after it, if a preset could not be written to a folder.

    Args:
        folder: to be written by `save_preset`, which replaces what is there.
        extras: names of the preset's other files.

    Raises:
        XcosError: it is a file, or holds anything but a preset with these extras, or the nearest
            folder around it may not be written to.
    """
    folder = Path(folder)
    if folder.is_dir():
        present = {path.name for path in folder.iterdir()}
        if others := sorted(present - {"config.json", WEIGHTS_FILE, *extras}):
            raise XcosError(
                f"{folder} holds other files ({', '.join(others[:3])}), which would be lost; "
                "choose a new folder"
            )
        if present:
            read_config(folder)
    elif folder.exists():
        raise XcosError(f"{folder} is a file; choose a folder for the preset")
    check_can_write(folder, within=folder.absolute().parent)


def save_preset(
    folder: str | os.PathLike,
    config: dict,
    network: FaceEmbedder | XCos,
    extras: Mapping[str, Callable[[Path], object]] | None = None,
) -> None:
    """Write a preset folder, all or nothing; one that is there already is replaced.

    Args:
        folder: where to write.
        config: `name`, `thresholds` and any facts; `format`, `preprocessing`, `model` and
            `weights` are filled in.
        network: whose weights these are.
        extras: {file name: function that writes this file of the preset to a path}.

    Raises:
        XcosError: the folder cannot be written.
    """
    folder = Path(folder)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    except OSError as error:
        raise XcosError(
            f"cannot write the preset {folder} ({error}); choose another place"
        ) from None
    what, advice = f"cannot write the preset {folder}", "free some space or choose another place"
    try:
        with explained(what, advice, (OSError, SafetensorError)):
            save_weights(network, temporary / WEIGHTS_FILE)
            digest = file_sha256(temporary / WEIGHTS_FILE).hexdigest()
            config = {
                "format": FORMAT,
                "preprocessing": PREPROCESSING,
                **config,
                "model": describe(network),
                "weights": {"file": WEIGHTS_FILE, "sha256": digest},
            }
            text = config_text(config).encode("utf-8")
            replace_file(temporary / "config.json", lambda stream: stream.write(text))
            for name, write in (extras or {}).items():
                write(temporary / name)
            temporary.chmod(0o755)
            if folder.exists():
                old = Path(tempfile.mkdtemp(prefix=f".{folder.name}.old.", dir=folder.parent))
                os.replace(folder, old / folder.name)
                os.replace(temporary, folder)
                shutil.rmtree(old)
            else:
                os.replace(temporary, folder)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def config_text(config: dict) -> str:
    """Return indented JSON, with each row of a map on one line."""
    text = json.dumps(config, indent=2, ensure_ascii=False) + "\n"
    return _NUMBERS.sub(lambda found: " ".join(found[0].split()), text)


def read_checked(path: Path, expected: str) -> bytes:
    """Return the content of a weights file, read once.

    Raises XcosError if it is not there, or has another SHA-256.
    """
    content = read_file(path, LARGEST_WEIGHTS, "the weights file", ADVICE)
    if hashlib.sha256(content).hexdigest() != expected:
        raise XcosError(
            f"the weights file {path} is damaged: its SHA-256 is not the one in config.json; "
            f"{ADVICE}"
        )
    return content
