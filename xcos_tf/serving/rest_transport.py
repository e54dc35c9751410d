"""TF Serving's REST API, one attempt at a time, and its two JSON forms of a prediction."""

import base64
import http.client
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent import futures
from urllib.parse import quote

import numpy as np

from xcos_tf.errors import XcosError, extra
from xcos_tf.serving.address import Certificates, ServerAddress
from xcos_tf.serving.errors import Call
from xcos_tf.serving.signatures import OUTPUTS

# As the server's http_server.cc translates its status codes.
CODES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    429: "RESOURCE_EXHAUSTED",
    500: "INTERNAL",
    501: "UNIMPLEMENTED",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}
CHUNK = 1 << 16  # bytes
CONNECTIONS = 32  # kept open; more threads than this open some anew


class RestTransport:
    """Connections to one server, kept open between questions; threads may share it.

    Its methods are those of `GrpcTransport`.
    """

    def __init__(self, address: ServerAddress, certificates: Certificates, max_message_bytes: int):
        with extra("serving", "a server's client"):
            import requests

        self._base = address.target
        self._max_bytes = max_message_bytes
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, requests.adapters.HTTPAdapter(pool_maxsize=CONNECTIONS))
        self._options = {
            "verify": str(certificates.root) if certificates.root else True,
            "cert": str(certificates.client) if certificates.client else None,
        }

    def encode(self, call: Call, inputs: Mapping[str, np.ndarray]) -> tuple[bytes, int]:
        body = encode_request(call.signature, inputs)
        return body, len(body)

    def predict(self, call: Call, request: bytes, seconds: float) -> dict[str, np.ndarray]:
        document = self._ask(call, "POST", f"{_path(call)}:predict", seconds, request)
        try:
            return decode_answer(call.signature, document)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise call.error("UNIMPLEMENTED", f"it answers with {error}") from None

    def status(self, call: Call, seconds: float) -> list[tuple[int, str, str]]:
        document = self._ask(call, "GET", _path(call), seconds)
        try:
            versions = [
                (int(x["version"]), str(x["state"]), str(x["status"].get("error_message", "")))
                for x in document["model_version_status"]
            ]
            if not all(0 <= version < 2**63 for version, _, _ in versions):
                raise ValueError
            return versions
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError):
            raise call.error("UNIMPLEMENTED", "its status lists no versions") from None

    def close(self) -> None:
        self._session.close()

    def _ask(self, call: Call, method: str, path: str, seconds: float, body=None):
        """Return the parsed JSON of an answer that is in order."""
        import requests

        end = time.monotonic() + seconds
        headers = {"Content-Type": "application/json"}
        limits = {"timeout": seconds, "stream": True, "allow_redirects": False}

        def exchange() -> tuple[int, bytes]:
            url = self._base + path
            with self._session.request(
                method, url, data=body, headers=headers, **limits, **self._options
            ) as response:
                return response.status_code, self._read(response, call, end)

        try:
            status, content = within(seconds, exchange)
        except (TimeoutError, requests.RequestException, OSError) as error:
            raise _connection_error(call, error) from None
        return _parsed(call, status, content)

    def _read(self, response, call: Call, end: float) -> bytes:
        content = bytearray()
        for chunk in response.iter_content(CHUNK):
            content += chunk
            if len(content) > self._max_bytes:
                raise call.error("TOO_LARGE", f"the answer has over {self._max_bytes:,} bytes")
            if time.monotonic() > end:
                raise TimeoutError
        return bytes(content)


def within(seconds: float, work: Callable):
    """Return what `work` returns or raise what it raises, but within `seconds`.

    A socket's timeout bounds each wait for some bytes, not all of them together; hence a thread.

    Raises:
        TimeoutError: it took longer. The thread ends at its next socket timeout.
    """
    outcome: futures.Future = futures.Future()

    def run() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:
            outcome.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    try:
        return outcome.result(seconds)
    except futures.TimeoutError:  # Python 3.10's is not the usual TimeoutError
        raise TimeoutError from None


def _path(call: Call) -> str:
    path = f"/v1/models/{quote(call.model, safe='')}"
    if isinstance(call.version, int):
        return f"{path}/versions/{call.version}"
    if call.version is not None:
        return f"{path}/labels/{quote(call.version, safe='')}"
    return path


def _parsed(call: Call, status: int, content: bytes):
    try:
        document = json.loads(content)
    except (ValueError, RecursionError):
        document = None
    if status == 200 and document is not None:
        return document
    said = document.get("error") if isinstance(document, dict) else None
    if said is None and status not in (401, 403, 429, 503, 504):
        start = content[:80].decode("utf-8", "replace")
        raise call.error("UNIMPLEMENTED", f"HTTP {status}: {start}" if start else f"HTTP {status}")
    raise call.error(CODES.get(status, f"HTTP {status}"), said or f"HTTP {status}")


def _connection_error(call: Call, error: Exception) -> XcosError:
    import requests
    import urllib3

    causes = list(_causes(error))

    def caused_by(*kinds: type) -> bool:
        return any(isinstance(cause, kinds) for cause in causes)

    reason = str(causes[-1]) or repr(causes[-1])
    if caused_by(urllib3.exceptions.NewConnectionError):  # which is a kind of ConnectTimeoutError
        return call.error("UNREACHABLE", reason)
    if caused_by(TimeoutError, requests.Timeout, urllib3.exceptions.TimeoutError):
        return call.error("DEADLINE_EXCEEDED")
    if caused_by(http.client.BadStatusLine) and not caused_by(http.client.RemoteDisconnected):
        return call.error("UNIMPLEMENTED", "its answer is not HTTP")
    if caused_by(ssl.SSLEOFError):  # a server that stops, or one that wants to know who is there
        return call.error("UNREACHABLE", f"{reason}; perhaps it asks for a client certificate")
    if caused_by(ssl.SSLError):
        return call.error("NO_TLS", reason)
    return call.error("UNREACHABLE", reason)


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it wraps, in the ways of requests and urllib3, innermost last."""
    while isinstance(error, BaseException):
        yield error
        wrapped = [arg for arg in error.args if isinstance(arg, BaseException)]
        error = getattr(error, "reason", None) or error.__cause__ or (wrapped or [None])[0]


def encode_request(signature: str, inputs: Mapping[str, np.ndarray]) -> bytes:
    """Return the body of a prediction's request; inputs of dtype object hold bytes.

    Images in bytes go by rows ("instances"), which is how TF Serving documents them; tensors by
    columns ("inputs"), the only form for inputs of different lengths.
    """
    body: dict = {"signature_name": signature}
    if all(value.dtype == object for value in inputs.values()):
        coded = [[{"b64": base64.b64encode(x).decode()} for x in v] for v in inputs.values()]
        rows = zip(*coded, strict=True)
        body["instances"] = [dict(zip(inputs, row, strict=True)) for row in rows]
    else:
        body["inputs"] = {name: value.tolist() for name, value in inputs.items()}
    return json.dumps(body, separators=(",", ":")).encode()


def decode_answer(signature: str, document) -> dict[str, np.ndarray]:
    """Return the outputs in a parsed answer, by rows or columns.

    A signature with a single output has it without its name. Numbers become what the signature
    says, float32 or bool; outputs that it does not name are left out.

    Raises:
        ValueError: the document is no answer of TF Serving to this signature.
    """
    expected = OUTPUTS[signature]
    if not isinstance(document, dict):
        raise ValueError("no JSON object")
    columns = document.get("outputs", document.get("predictions"))
    if columns is None:
        raise ValueError("neither 'outputs' nor 'predictions'")
    if "outputs" not in document and columns and isinstance(columns[0], dict):
        columns = {name: [row[name] for row in columns if name in row] for name in columns[0]}
    if not isinstance(columns, dict):
        columns = {next(iter(expected)): columns}
    with np.errstate(all="ignore"):  # `check_outputs` refuses what is not finite
        return {
            name: np.asarray(columns[name], dtype)
            for name, (dtype, _) in expected.items()
            if name in columns
        }
