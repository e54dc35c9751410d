"""`models.config`: which versions TF Serving serves, and by which labels they are asked for."""

from pathlib import Path

from google.protobuf import text_format
from google.protobuf.message import Message

from xcos_tf.errors import XcosError, reason_of
from xcos_tf.export.model_versions import versions
from xcos_tf.export.server_messages import message_class
from xcos_tf.files import replace_file

MODELS_CONFIG = "models.config"
STABLE, CANARY = "stable", "canary"
MOUNT = "/models"
"""Where the server's container has the folder."""


def read_models(folder: Path) -> Message:
    """Return what `models.config` says, or an empty ModelServerConfig if there is none.

    Raises:
        XcosError: it cannot be read, or says what would be lost if it were written again.
    """
    path, config = folder / MODELS_CONFIG, message_class("ModelServerConfig")()
    if not path.exists():
        return config
    try:
        return text_format.Parse(path.read_text(encoding="utf-8"), config)
    except (OSError, ValueError, text_format.ParseError) as error:
        raise XcosError(
            f"{path} cannot be read or has more in it than this command understands "
            f"({reason_of(error)}); mend it or move it away"
        ) from None


def add_version(folder: Path, name: str, version: int) -> None:
    """Have a new version served, and label it.

    A model's first version is "stable". A further one is "canary" until whoever runs the server
    moves "stable" to it. Versions that lose their label by this are served until the next time:
    TF Serving moves a label only after the new version is loaded.

    Args:
        folder: that holds the models; `models.config` in it is written.
        name: of the model.
        version: that was published.

    Raises:
        XcosError: as `read_models`.
        OSError: it cannot be written.
    """
    config = read_models(folder)
    models = config.model_config_list.config
    model = next((model for model in models if model.name == name), None)
    if model is None:
        model = models.add(name=name, base_path=f"{MOUNT}/{name}", model_platform="tensorflow")
    there = versions(folder / name)
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
