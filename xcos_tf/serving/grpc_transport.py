"""TF Serving's PredictionService and ModelService over gRPC, one attempt at a time."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from xcos_tf.errors import XcosError, extra
from xcos_tf.serving.address import Certificates, ServerAddress
from xcos_tf.serving.errors import Call

# Whether a connection that failed is tried anew is this package's business, so gRPC should not
# refuse the next attempt for a second or more because the last one failed.
RECONNECT_MS = {"initial": 50, "min": 50, "max": 500}

_PREAMBLE = re.compile(r"^failed to connect to all addresses; last error: [A-Z]+: ")


class GrpcTransport:
    """A channel to one server; threads may share it."""

    def __init__(self, address: ServerAddress, certificates: Certificates, max_message_bytes: int):
        """Prepare the channel, which connects at the first call.

        `max_message_bytes` limits a request and an answer.

        Raises:
            XcosError: a package of the `serving` extra is not installed.
        """
        with extra("serving", "a server's client"):
            import grpc
            from tensorflow_serving.apis import model_service_pb2_grpc as models
            from tensorflow_serving.apis import prediction_service_pb2_grpc as predictions

        options = [
            ("grpc.max_send_message_length", max_message_bytes),
            ("grpc.max_receive_message_length", max_message_bytes),
            ("grpc.enable_retries", 0),
            *((f"grpc.{which}_reconnect_backoff_ms", ms) for which, ms in RECONNECT_MS.items()),
        ]
        if address.secure:
            paths = certificates.root, certificates.client
            root, own = (path.read_bytes() if path else None for path in paths)
            # One file holds both; each reader passes over the blocks that are not its own.
            credentials = grpc.ssl_channel_credentials(root, own, own)
            self._channel = grpc.secure_channel(address.target, credentials, options)
        else:
            self._channel = grpc.insecure_channel(address.target, options)
        self._predict = predictions.PredictionServiceStub(self._channel).Predict
        self._status = models.ModelServiceStub(self._channel).GetModelStatus

    def encode(self, call: Call, inputs: Mapping[str, np.ndarray]) -> tuple[Any, int]:
        """Return the request, which `predict` takes, and its size in bytes."""
        import tensorflow as tf
        from tensorflow_serving.apis.predict_pb2 import PredictRequest

        request = PredictRequest()
        _fill(request.model_spec, call)
        request.model_spec.signature_name = call.signature
        for name, value in inputs.items():
            request.inputs[name].CopyFrom(tf.make_tensor_proto(value))
        return request, request.ByteSize()

    def predict(self, call: Call, request, seconds: float) -> dict[str, np.ndarray]:
        """Ask for a signature's outputs, once.

        Raises:
            ServerUnavailable: it may work later.
            DeadlineExceeded: no answer in `seconds`.
            XcosError: anything else that is wrong.
        """
        import tensorflow as tf

        response = self._call(self._predict, request, call, seconds)
        try:
            return {name: tf.make_ndarray(value) for name, value in response.outputs.items()}
        except (ValueError, TypeError) as error:
            raise call.error("UNIMPLEMENTED", f"it answers with {error}") from None

    def status(self, call: Call, seconds: float) -> list[tuple[int, str, str]]:
        """Return number, state and error message of each version; raises as `predict` does."""
        from tensorflow_serving.apis.get_model_status_pb2 import (
            GetModelStatusRequest,
            ModelVersionStatus,
        )

        request = GetModelStatusRequest()
        _fill(request.model_spec, call)
        response = self._call(self._status, request, call, seconds)
        state = {number: name for name, number in ModelVersionStatus.State.items()}
        return [
            (x.version, state.get(x.state, "UNKNOWN"), x.status.error_message)
            for x in response.model_version_status
        ]

    def close(self) -> None:
        """Close the connection."""
        self._channel.close()

    def _call(self, method, request, call: Call, seconds: float):
        import grpc

        try:
            return method(request, timeout=seconds)
        except grpc.RpcError as error:
            failed = _error_of(call, error.code().name, error.details() or "")
        raise failed


def _fill(spec, call: Call) -> None:
    spec.name = call.model
    if isinstance(call.version, int):
        spec.version.value = call.version
    elif call.version is not None:
        spec.version_label = call.version


def _error_of(call: Call, code: str, details: str) -> XcosError:
    if "larger than max" in details:
        code = "TOO_LARGE"
    if code != "UNAVAILABLE":
        return call.error(code, details)
    reason = _PREAMBLE.sub("", details)
    lower = reason.lower()

    def has(*words: str) -> bool:
        return any(word in lower for word in words)

    if has("handshake", "ssl", "certificate", "verification"):
        return call.error("NO_TLS", reason)
    if has("parsing http/2", "http1"):
        return call.error("UNIMPLEMENTED", reason)
    if reason != details and lower.endswith("socket closed"):
        reason += "; perhaps it wants TLS or a client certificate"
        return call.error("UNREACHABLE", reason)
    if has("connect", "socket", "resol", "dns", "recv", "reset"):
        return call.error("UNREACHABLE", reason)
    return call.error(code, details)
