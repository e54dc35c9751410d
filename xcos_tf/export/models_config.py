"""What TF Serving reads in a folder of models: versions, `models.config` with labels, and more."""

import re
from pathlib import Path

from google.protobuf import text_format
from google.protobuf.message import Message

from xcos_tf.errors import XcosError, explained
from xcos_tf.export.server_messages import message_class
from xcos_tf.files import read_bytes, replace_file

MODELS_CONFIG = "models.config"
STABLE, CANARY = "stable", "canary"
MOUNT = "/models"
"""Where the server's container has the folder."""
LARGEST_VERSION = 2**63 - 1
SERVER_FILES = Path(__file__).with_name("server")
"""The files beside the models that make a server of a folder; docs/serving.md explains them."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")


def check_name(name: str) -> str:
    """Return a model's name, or raise XcosError if it cannot be a folder's and a part of a URL."""
    if not _NAME.fullmatch(name) or name.endswith((".config", ".yaml")):
        raise XcosError(
            f"{name!r} cannot be the name of a served model; give one of letters, digits, '-', '_' "
            "and single dots"
        )
    return name


def versions_of(model_folder: Path) -> list[int]:
    """Return the numbers of a model's versions, ascending; none if there is no such folder."""
    if not model_folder.is_dir():
        return []
    names = [path.name for path in model_folder.iterdir() if path.is_dir()]
    return sorted(int(name) for name in names if name.isascii() and name.isdecimal())


def choose_version(model_folder: Path, version: int | None) -> int:
    """Return the version to write; for None, the one after the highest that has a folder.

    Raises XcosError if it is under 1 or too large, or there already.
    """
    there = versions_of(model_folder)
    if version is None:
        version = max(there, default=0) + 1
    if not 1 <= version <= LARGEST_VERSION:
        raise XcosError(f"{version} cannot be a version; give a whole number from 1 to 2⁶³ − 1")
    if version in there:
        raise XcosError(
            f"{model_folder / str(version)} is there already, and a version never changes; give "
            f"another number, such as {max(there) + 1}, or leave it out"
        )
    return version


def read_models(folder: Path) -> Message:
    """Return what `models.config` says, or an empty ModelServerConfig if there is none.

    Raises XcosError if it cannot be read, or says what would be lost if it were written again.
    """
    path, config = folder / MODELS_CONFIG, message_class("ModelServerConfig")()
    if not path.exists():
        return config
    what = f"{path} cannot be read or has more in it than this command understands"
    faults = OSError, ValueError, text_format.ParseError
    with explained(what, "mend it or move it away", faults):
        return text_format.Parse(read_bytes(path).decode(), config)


def add_version(folder: Path, name: str, version: int) -> None:
    """Have a new version served, and label it.

    A model's first version is "stable". A further one is "canary" until whoever runs the server
    moves "stable" to it. Versions that lose their label by this are served until the next time:
    TF Serving moves a label only after the new version is loaded. `models.config` in the folder of
    the models is written. Raises XcosError as `read_models` does, or OSError.
    """
    config = read_models(folder)
    models = config.model_config_list.config
    model = next((model for model in models if model.name == name), None)
    if model is None:
        model = models.add(name=name, base_path=f"{MOUNT}/{name}", model_platform="tensorflow")
    there = versions_of(folder / name)
    before = {label.key: label.value for label in model.version_labels if label.value in there}
    labels = {STABLE: max([v for v in there if v != version], default=version), **before}
    if labels[STABLE] != version:
        labels[CANARY] = version
    del model.version_labels[:]
    for label, value in sorted(labels.items()):
        model.version_labels.add(key=label, value=value)
    policy = model.model_version_policy
    if not (policy.HasField("latest") or policy.HasField("all")):
        policy.specific.versions[:] = sorted({*before.values(), *labels.values()})
    text = text_format.MessageToString(config)
    replace_file(folder / MODELS_CONFIG, lambda stream: stream.write(text.encode()))


def write_missing_files(folder: Path) -> None:
    """Write those of `SERVER_FILES` that are not there; those that are may be changed by hand."""
    for file in SERVER_FILES.iterdir():
        if not (folder / file.name).exists():
            content = file.read_bytes()
            replace_file(folder / file.name, lambda stream, content=content: stream.write(content))
