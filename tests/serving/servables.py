"""Exported models, run as TF Serving runs them: a session for each version, and its errors."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import grpc
import numpy as np
import tensorflow as tf
from google.protobuf import text_format
from tensorflow.core.protobuf.config_pb2 import CallableOptions
from tensorflow_serving.apis.prediction_log_pb2 import PredictionLog
from tensorflow_serving.config.model_server_config_pb2 import ModelServerConfig

PREDICT_DEFAULT = "serving_default"


class Fault(Exception):
    """A status other than OK: the name of a gRPC status code, and TF Serving's own words."""

    def __init__(self, code: str, message: str):
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True)
class Servable:
    """One loaded version of a model."""

    name: str
    version: int
    session: tf.compat.v1.Session
    signatures: dict
    callables: dict = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)

    @classmethod
    def load(cls, folder: Path) -> "Servable":
        """Load NAME/VERSION."""
        session = tf.compat.v1.Session(graph=tf.Graph())
        with session.graph.as_default():
            meta = tf.compat.v1.saved_model.load(session, ["serve"], str(folder))
        return cls(folder.parent.name, int(folder.name), session, dict(meta.signature_def))

    def warm_up(self, folder: Path) -> None:
        """Play the version's warm-up requests, as a server does before anybody may have it."""
        path = folder / "assets.extra" / "tf_serving_warmup_requests"
        for record in tf.data.TFRecordDataset(str(path)).as_numpy_iterator():
            request = PredictionLog.FromString(record).predict_log.request
            inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            self.predict(request.model_spec.signature_name, inputs)

    def signature(self, name: str):
        """Return a signature, or fail as the gRPC service does."""
        try:
            return self.signatures[name or PREDICT_DEFAULT]
        except KeyError:
            raise Fault(
                "FAILED_PRECONDITION", f'Serving signature key "{name}" not found.'
            ) from None

    def predict(self, signature_name: str, inputs: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Run a signature."""
        signature = self.signature(signature_name)
        wanted, given = set(signature.inputs), set(inputs)
        if wanted != given:
            listed = [",".join(sorted(names)) for names in (given, wanted, given - wanted)]
            raise Fault(
                "INVALID_ARGUMENT",
                f"input size does not match signature: {len(given)}!={len(wanted)} "
                f"len({{{listed[0]}}}) != len({{{listed[1]}}}). Sent extra: {{{listed[2]}}}. "
                f"Missing but required: {{{','.join(sorted(wanted - given))}}}.",
            )
        for name, value in inputs.items():
            _check_type(name, value, signature.inputs[name].dtype)
        try:
            values = self._callable(signature)(*(inputs[name] for name in sorted(inputs)))
            return dict(zip(sorted(signature.outputs), values, strict=True))
        except tf.errors.OpError as error:
            raise Fault(_code_name(error), error.message) from None

    def _callable(self, signature):
        """Return a function of the inputs to the outputs, each in alphabetical order.

        `Session.run` would look at the shapes itself, which a server's session does not.
        """
        key = signature.SerializeToString(deterministic=True)
        with self.lock:
            if key not in self.callables:
                options = CallableOptions()
                for infos, names in (
                    (signature.inputs, options.feed),
                    (signature.outputs, options.fetch),
                ):
                    names.extend(infos[name].name for name in sorted(infos))
                self.callables[key] = self.session._make_callable_from_options(options)
            return self.callables[key]


class Servables:
    """All versions of all models in a folder of NAME/VERSION, with labels of versions."""

    def __init__(self, base: Path, labels: dict[str, dict[str, int]] | None = None):
        """Load them; labels are {model: {label: version}}, by default those of models.config."""
        self.labels = _configured_labels(base / "models.config") if labels is None else labels
        self.loaded: dict[str, dict[int, Servable]] = {}
        for folder in sorted(base.glob("*/[0-9]*")):
            servable = Servable.load(folder)
            servable.warm_up(folder)
            self.loaded.setdefault(servable.name, {})[servable.version] = servable

    def find(self, name: str, version: int | None = None, label: str | None = None) -> Servable:
        """Return a version of a model: the one asked for, or the newest."""
        versions = self.loaded.get(name, {})
        if label is not None:
            version = self.labels.get(name, {}).get(label)
            if version is None:
                raise Fault("INVALID_ARGUMENT", f"Unrecognized servable version label: {label}")
        if version is None and versions:
            version = max(versions)
        if version not in versions:
            asked = f"Latest({name})" if version is None else f"Specific({name}, {version})"
            raise Fault("NOT_FOUND", f"Servable not found for request: {asked}")
        return versions[version]

    def states(self, name: str, version: int | None = None, label: str | None = None) -> list[int]:
        """Return the numbers of the versions that are loaded."""
        if label is not None:
            return [self.find(name, label=label).version]
        versions = sorted(self.loaded.get(name, {}), reverse=True)
        if not versions:
            raise Fault("NOT_FOUND", f"Could not find any versions of model {name}")
        if version is not None and version not in versions:
            raise Fault("NOT_FOUND", f"Could not find version {version} of model {name}")
        return versions if version is None else [version]


def _check_type(name: str, value: np.ndarray, wanted: int) -> None:
    given, wanted = tf.dtypes.as_dtype(value.dtype), tf.dtypes.as_dtype(wanted)
    if given != wanted:
        raise Fault(
            "INVALID_ARGUMENT", f"Expects {name} to be {wanted.name} but {given.name} is provided"
        )


def _code_name(error: tf.errors.OpError) -> str:
    return next(code.name for code in grpc.StatusCode if code.value[0] == error.error_code)


def _configured_labels(path: Path) -> dict[str, dict[str, int]]:
    if not path.exists():
        return {}
    config = text_format.Parse(path.read_text(), ModelServerConfig())
    return {entry.name: dict(entry.version_labels) for entry in config.model_config_list.config}
