"""TF Serving's REST API: its URLs, its two JSON forms, its errors."""

import base64
import contextlib
import json
import re
import socket
import ssl
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import numpy as np
import tensorflow as tf

from tests.serving.servables import PREDICT_DEFAULT, Fault, Servable, Servables

MODEL = r"/v1/models/(?P<name>[^/:]+)(?:/versions/(?P<version>\d+)|/labels/(?P<label>[^/:]+))?"
PREDICT = re.compile(rf"{MODEL}:predict")
STATUS = re.compile(MODEL)
# As http_server.cc has them.
HTTP_CODES = {
    "INVALID_ARGUMENT": 400,
    "FAILED_PRECONDITION": 400,
    "OUT_OF_RANGE": 400,
    "NOT_FOUND": 404,
    "RESOURCE_EXHAUSTED": 429,
    "INTERNAL": 500,
    "UNAVAILABLE": 503,
    "DEADLINE_EXCEEDED": 504,
}


def _asked(match: re.Match) -> dict:
    version, label = match["version"], match["label"]
    return {
        "name": unquote(match["name"]),
        "version": int(version) if version else None,
        "label": unquote(label) if label else None,
    }


def _predict(servable: Servable, body: dict) -> dict:
    signature_name = body.get("signature_name", PREDICT_DEFAULT)
    if signature_name not in servable.signatures:
        raise Fault(
            "INVALID_ARGUMENT",
            f'Serving signature name: "{signature_name}" not found in signature def',
        )
    signature = servable.signatures[signature_name]
    if ("instances" in body) == ("inputs" in body):
        raise Fault("INVALID_ARGUMENT", "Missing 'inputs' or 'instances' key")
    if "instances" in body:
        rows = body["instances"]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
    else:
        columns = body["inputs"]
    inputs = {
        name: _tensor(value, signature.inputs[name].dtype)
        for name, value in columns.items()
        if name in signature.inputs
    }
    outputs = servable.predict(signature_name, inputs)
    plain = {name: value.tolist() for name, value in outputs.items()}
    single = next(iter(plain)) if len(plain) == 1 else None
    if "inputs" in body:
        return {"outputs": plain[single] if single else plain}
    if single:
        return {"predictions": plain[single]}
    rows = zip(*plain.values(), strict=True)
    return {"predictions": [dict(zip(plain, row, strict=True)) for row in rows]}


def _tensor(value, dtype: int) -> np.ndarray:
    kind = tf.dtypes.as_dtype(dtype)
    try:
        if kind == tf.string:
            return np.array([base64.b64decode(item["b64"]) for item in value], object)
        return np.array(value, kind.as_numpy_dtype)
    except (ValueError, TypeError, OverflowError) as error:
        raise Fault(
            "INVALID_ARGUMENT", f"JSON Value is not of expected type: {kind.name} ({error})"
        ) from None


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(lambda: self._posted(body))

    def do_GET(self):
        self._answer(self._status)

    def _posted(self, body: bytes) -> dict:
        match = PREDICT.fullmatch(self.path)
        if not match:
            raise Fault("INVALID_ARGUMENT", f"Malformed request: POST {self.path}")
        try:
            document = json.loads(body)
        except ValueError as error:
            raise Fault("INVALID_ARGUMENT", f"JSON Parse error: {error}") from None
        return _predict(self.server.servables.find(**_asked(match)), document)

    def _status(self) -> dict:
        match = STATUS.fullmatch(self.path)
        if not match:
            raise Fault("INVALID_ARGUMENT", f"Malformed request: GET {self.path}")
        status = {"error_code": "OK", "error_message": ""}
        return {
            "model_version_status": [
                {"version": str(version), "state": "AVAILABLE", "status": status}
                for version in self.server.servables.states(**_asked(match))
            ]
        }

    def _answer(self, compute: Callable[[], dict]) -> None:
        try:
            self.server.before()
            status, document = 200, compute()
        except Fault as fault:
            status, document = HTTP_CODES[fault.code], {"error": fault.message}
        content = json.dumps(document).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_):
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def __init__(self, servables, before, port, context):
        self.servables, self.before, self.context = servables, before, context
        self.connections = set()
        super().__init__(("localhost", port), _Handler)

    def finish_request(self, request, client_address):
        # In the request's own thread, so that a handshake which hangs keeps nobody else waiting.
        if self.context:
            request = self.context.wrap_socket(request, server_side=True)
        with request:
            request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self.connections.add(request)
            super().finish_request(request, client_address)
            self.connections.discard(request)

    def server_close(self):
        super().server_close()
        for connection in list(self.connections):  # as when the process ends
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request, client_address):
        pass  # clients that go away in the middle are what some tests are about


def start_rest(
    servables: Servables,
    before: Callable[[], None],
    port: int = 0,
    context: ssl.SSLContext | None = None,
) -> tuple[ThreadingHTTPServer, int]:
    """Start the API on localhost; returns the server and its port; `before` as for gRPC."""
    server = _Server(servables, before, port, context)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    return server, server.server_port
