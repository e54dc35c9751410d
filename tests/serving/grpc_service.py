"""TF Serving's gRPC services on the stubs that tensorflow-serving-api generates."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import grpc
import tensorflow as tf
from tensorflow_serving.apis import (
    get_model_status_pb2,
    model_service_pb2_grpc,
    predict_pb2,
    prediction_service_pb2_grpc,
)

from tests.serving.servables import Fault, Servables


def _asked(spec) -> dict:
    version = spec.version.value if spec.HasField("version") else None
    return {"name": spec.name, "version": version, "label": spec.version_label or None}


class _Services(
    prediction_service_pb2_grpc.PredictionServiceServicer,
    model_service_pb2_grpc.ModelServiceServicer,
):
    def __init__(self, servables: Servables, before: Callable[[], None]):
        self.servables, self.before = servables, before

    def Predict(self, request, context):
        spec = request.model_spec
        with _statuses(context):
            self.before()
            servable = self.servables.find(**_asked(spec))
            inputs = {name: tf.make_ndarray(value) for name, value in request.inputs.items()}
            outputs = servable.predict(spec.signature_name, inputs)
            response = predict_pb2.PredictResponse()
            response.model_spec.CopyFrom(spec)
            response.model_spec.version.value = servable.version
            for name, value in outputs.items():
                response.outputs[name].CopyFrom(tf.make_tensor_proto(value))
            return response

    def GetModelStatus(self, request, context):
        with _statuses(context):
            self.before()
            response = get_model_status_pb2.GetModelStatusResponse()
            for version in self.servables.states(**_asked(request.model_spec)):
                response.model_version_status.add(version=version, state="AVAILABLE")
            return response


class _statuses:
    """Turns a fault into the status of the call."""

    def __init__(self, context):
        self.context = context

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace):
        if isinstance(error, Fault):
            self.context.abort(grpc.StatusCode[error.code], error.message)


def start_grpc(
    servables: Servables,
    before: Callable[[], None],
    port: int = 0,
    credentials: grpc.ServerCredentials | None = None,
    max_message_bytes: int = -1,
) -> tuple[grpc.Server, int]:
    """Start the services on localhost; returns the server and its port.

    `before` is called at the start of each call and may wait, or raise a `Fault`.
    """
    options = [
        ("grpc.max_receive_message_length", max_message_bytes),
        ("grpc.max_send_message_length", -1),
        ("grpc.so_reuseport", 0),
    ]
    server = grpc.server(ThreadPoolExecutor(32), options=options)
    services = _Services(servables, before)
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(services, server)
    model_service_pb2_grpc.add_ModelServiceServicer_to_server(services, server)
    place = f"localhost:{port}"
    if credentials:
        port = server.add_secure_port(place, credentials)
    else:
        port = server.add_insecure_port(place)
    server.start()
    return server, port
