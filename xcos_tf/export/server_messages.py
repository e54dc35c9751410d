"""The few of TF Serving's protocol messages that an export writes.

Field names and numbers are TF Serving's (`model_server_config.proto`, `prediction_log.proto`), so
files are the same as by tensorflow-serving-api, which an export can do without.
"""

from functools import cache

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.message import Message

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
