"""What TF Serving reads in a folder of models: versions, `models.config` with labels, and more.

Field names and numbers of its messages are TF Serving's (`model_server_config.proto`,
`prediction_log.proto`), so files are the same as by tensorflow-serving-api, which an export can do
without.
"""

import re
from functools import cache
from pathlib import Path

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory, text_format
from google.protobuf.message import Message

from xcos_tf.errors import XcosError, explained
from xcos_tf.files import read_bytes, replace_file

MODELS_CONFIG = "models.config"
STABLE, CANARY = "stable", "canary"
MOUNT = "/models"
"""Where the server's container has the folder."""
LARGEST_VERSION = 2**63 - 1
SERVER_FILES = Path(__file__).with_name("server")
"""The files beside the models that make a server of a folder; docs/serving.md explains them."""

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*(\.[A-Za-z0-9_-]+)*")

_PACKAGE = "xcos_tf.tf_serving"

# {message: {field: (number, type)}}; a star means many. An entry of a map is a message, and a
# message that is only passed on is bytes.
_MESSAGES = {
    "ModelServerConfig": {"model_config_list": (1, "ModelConfigList")},
    "ModelConfigList": {"config": (1, "ModelConfig*")},
    "ModelConfig": {
        "name": (1, "string"),
        "base_path": (2, "string"),
        "model_platform": (4, "string"),
        "model_version_policy": (7, "VersionPolicy"),
        "version_labels": (8, "VersionLabel*"),
    },
    "VersionPolicy": {
        "latest": (100, "Latest"),
        "all": (101, "All"),
        "specific": (102, "Specific"),
    },
    "Latest": {"num_versions": (1, "uint32")},
    "All": {},
    "Specific": {"versions": (1, "int64*")},
    "VersionLabel": {"key": (1, "string"), "value": (2, "int64")},
    "PredictionLog": {"predict_log": (6, "PredictLog")},
    "PredictLog": {"request": (1, "PredictRequest")},
    "PredictRequest": {"model_spec": (1, "ModelSpec"), "inputs": (2, "Input*")},
    "ModelSpec": {"name": (1, "string"), "signature_name": (3, "string")},
    "Input": {"key": (1, "string"), "value": (2, "bytes")},
}


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
    errors = OSError, ValueError, text_format.ParseError
    with explained(what, "mend it or move it away", errors):
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


@cache
def message_class(name: str) -> type[Message]:
    """Return the class of "ModelServerConfig" or "PredictionLog", or of a part of one."""
    return message_factory.GetMessageClass(_pool().FindMessageTypeByName(f"{_PACKAGE}.{name}"))


@cache
def _pool() -> descriptor_pool.DescriptorPool:
    field_proto = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(
        name="xcos_tf/tf_serving.proto", package=_PACKAGE, syntax="proto3"
    )
    for message, fields in _MESSAGES.items():
        described = file.message_type.add(name=message)
        for name, (number, kind) in fields.items():
            field = described.field.add(name=name, number=number)
            many, kind = kind.endswith("*"), kind.removesuffix("*")
            field.label = field_proto.LABEL_REPEATED if many else field_proto.LABEL_OPTIONAL
            if kind in _MESSAGES:
                field.type, field.type_name = field_proto.TYPE_MESSAGE, f".{_PACKAGE}.{kind}"
            else:
                field.type = getattr(field_proto, f"TYPE_{kind.upper()}")
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool
