"""The client of a model that `xcos export` wrote and TF Serving serves."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import numpy as np

from xcos_tf.errors import XcosError, extra
from xcos_tf.models.preset_folder import DEFAULT_PRESET
from xcos_tf.serving.address import Certificates, ServerAddress
from xcos_tf.serving.errors import Call, ServerUnavailable, check_size
from xcos_tf.serving.signatures import check_inputs, check_outputs

TIMEOUT = 10.0  # seconds, for a call with all its attempts
LONGEST_TIMEOUT = 86_400.0
ATTEMPTS = 5
MAX_MESSAGE_BYTES = 64 * 2**20
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 2.0  # seconds

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class ServedVersion:
    """A version that the server has."""

    version: int
    state: str  # "AVAILABLE", or "START", "LOADING", "UNLOADING", "END"
    message: str  # why it could not be loaded; empty if nothing went wrong


@dataclass(frozen=True)
class ServedPairs:
    """A server's verdicts on N pairs, explained; xcos = Σ similarity_map · attention_map.

    Attributes:
        xcos: float32 (N,), in [−1, 1].
        similarity_map: S, float32 (N, h, w), in [−1, 1].
        attention_map: W, float32 (N, h, w); each sums to 1.
        same: bool (N,), whether xcos reaches the threshold that the model was exported with.
        valid_a, valid_b: bool (N,), whether the encoded images could be decoded; None where faces
            or grids were compared. Where either is False, the pair's other values mean nothing
            and `same` is False.
    """

    xcos: np.ndarray
    similarity_map: np.ndarray
    attention_map: np.ndarray
    same: np.ndarray
    valid_a: np.ndarray | None = None
    valid_b: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.xcos)


class ServingClient(AbstractContextManager):
    """Asks a server, by gRPC or REST, what a local `Verifier` would compute.

    Every method is one call: it takes `timeout` seconds altogether, is tried again with random
    pauses while the server is unreachable or busy, and either returns the answer or raises
    `XcosError`, of which `ServerUnavailable` and `DeadlineExceeded` are kinds (see
    `xcos_tf.serving.errors`). Threads may share a client. Close it, or use it in `with`.
    """

    def __init__(
        self,
        server: str,
        model: str = DEFAULT_PRESET,
        version: int | str | None = None,
        timeout: float = TIMEOUT,
        attempts: int = ATTEMPTS,
        root_certificate: str | os.PathLike | None = None,
        client_certificate: str | os.PathLike | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
    ):
        """Prepare the connection, which opens at the first call.

        Args:
            server: HOST[:PORT] or grpc[s]://HOST[:PORT] for gRPC (port 8500 if left out), an
                http(s) URL for REST.
            model: its name on the server.
            version: number or label of a version; None for the newest.
            timeout: seconds that a call may take, all attempts and pauses together.
            attempts: how often a call is tried at most.
            root_certificate: PEM file of authorities to trust instead of the public ones.
            client_certificate: PEM file of the client's own certificate chain and private key.
            max_message_bytes: the limit of a request and of an answer.

        Raises:
            XcosError: an argument is not as it should be, or a package that the protocol needs is
                not installed.
        """
        if not model:
            raise XcosError("the model's name is empty; give the name it is served under")
        if isinstance(version, int) and not 0 <= version < 2**63:
            raise XcosError(f"{version} is no version of a model; give a number from 0 on")
        if attempts < 1:
            raise XcosError(f"{attempts} attempts are too few; give at least 1")
        if not 0 < max_message_bytes < 2**31:
            raise XcosError(
                f"max_message_bytes is {max_message_bytes} and must be above 0 and under 2 GiB"
            )
        self._timeout = _checked_timeout(timeout)
        address = ServerAddress.parse(server)
        certificates = Certificates.of(root_certificate, client_certificate, address.secure)
        if address.rest:
            from xcos_tf.serving.rest_transport import RestTransport as Transport
        else:
            from xcos_tf.serving.grpc_transport import GrpcTransport as Transport
        self._transport = Transport(address, certificates, max_message_bytes)
        self._server, self._model, self._version = str(address), model, version
        self._attempts, self._max_bytes = attempts, max_message_bytes

    def verify(
        self, faces_a: np.ndarray, faces_b: np.ndarray, timeout: float | None = None
    ) -> ServedPairs:
        """Compare aligned faces, one to one.

        Args:
            faces_a, faces_b: uint8 (N, 112, 112, 3) RGB.
            timeout: seconds for this call instead of the client's.

        Raises:
            XcosError: the input is of another shape, or the call fails; see the class.
        """
        inputs = {"image_a": _array(faces_a, "image_a"), "image_b": _array(faces_b, "image_b")}
        return ServedPairs(**self._ask("verify", inputs, timeout))

    def verify_encoded(
        self, encoded_a: Sequence[bytes], encoded_b: Sequence[bytes], timeout: float | None = None
    ) -> ServedPairs:
        """Compare aligned faces given as JPEG or PNG files' bytes, one to one.

        One that the server cannot decode does not spoil the others: see `valid_a` and `valid_b`.
        Takes `timeout` and raises as `verify` does.
        """
        pair = {"encoded_a": encoded_a, "encoded_b": encoded_b}
        inputs = {name: _array(images, name, object) for name, images in pair.items()}
        return ServedPairs(**self._ask("verify_encoded", inputs, timeout))

    def embed(self, faces: np.ndarray, timeout: float | None = None) -> np.ndarray:
        """Return the grid features, float32 (N, h, w, c), of uint8 (N, 112, 112, 3) RGB faces.

        Grids of different versions of a model do not belong together: whoever keeps grids should
        fix the client's `version`. Takes `timeout` and raises as `verify` does.
        """
        return self._ask("embed", {"image": _array(faces, "image")}, timeout)["grid"]

    def compare(
        self, grids_a: np.ndarray, grids_b: np.ndarray, timeout: float | None = None
    ) -> ServedPairs:
        """Compare grid features one to one, or one with many.

        Both are float32 (N, h, w, c), or `grids_a` (1, h, w, c) to compare it with all of the
        others. Takes `timeout` and raises as `verify` does.
        """
        inputs = {"grid_a": _array(grids_a, "grid_a"), "grid_b": _array(grids_b, "grid_b")}
        one = inputs["grid_a"].shape[:1] == (1,) != inputs["grid_b"].shape[:1]
        signature = "compare_one_to_many" if one else "compare"
        return ServedPairs(**self._ask(signature, inputs, timeout))

    def status(self, timeout: float | None = None) -> list[ServedVersion]:
        """Return the model's versions, as a health check; `timeout` and errors as of `verify`."""
        call = self._call_of(None, timeout)
        attempt = partial(self._transport.status, call)
        versions = call_with_retries(attempt, call.seconds, self._attempts)
        return [ServedVersion(*version) for version in versions]

    def close(self) -> None:
        """Close the connection."""
        self._transport.close()

    def __exit__(self, *_) -> None:
        self.close()

    def _ask(
        self, signature: str, inputs: Mapping[str, np.ndarray], timeout: float | None
    ) -> dict[str, np.ndarray]:
        start = time.monotonic()
        count = check_inputs(signature, inputs)
        call = self._call_of(signature, timeout)
        # The message is larger still, but what is far too large should not even be encoded.
        check_size(call, sum(map(_size, inputs.values())), self._max_bytes, count)
        request, size = self._transport.encode(call, inputs)
        check_size(call, size, self._max_bytes, count)
        attempt = partial(self._transport.predict, call, request)
        left = call.seconds - (time.monotonic() - start)
        outputs = call_with_retries(attempt, left, self._attempts)
        return check_outputs(signature, outputs, count, self._server)

    def _call_of(self, signature: str | None, timeout: float | None) -> Call:
        seconds = self._timeout if timeout is None else _checked_timeout(timeout)
        return Call(self._server, self._model, seconds, self._version, signature)


def call_with_retries(attempt: Callable[[float], Answer], seconds: float, attempts: int) -> Answer:
    """Call until it works, fails for good, or the time or the attempts are used up.

    Before the n-th repetition there is a random pause of up to 0.1 · 2ⁿ⁻¹ s, at most 2 s, so that
    many clients do not come back at once ("full jitter"). Every call may be
    made twice: none changes anything on the server.

    An attempt is called with what is left of the seconds for all of them and the pauses.

    Raises:
        XcosError: the last attempt's.
    """
    with extra("serving", "a server's client"):
        import tenacity

    end = time.monotonic() + seconds
    retrying = tenacity.Retrying(
        retry=tenacity.retry_if_exception_type(ServerUnavailable),
        wait=tenacity.wait_random_exponential(FIRST_PAUSE, LONGEST_PAUSE),
        stop=tenacity.stop_after_attempt(attempts) | tenacity.stop_before_delay(seconds),
        reraise=True,
    )
    return retrying(lambda: attempt(max(end - time.monotonic(), 1e-3)))


def _checked_timeout(seconds: float) -> float:
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise XcosError(f"a timeout of {seconds:g} s is none; give seconds above 0, up to a day")
    return float(seconds)


def _array(values, name: str, kind: type | None = None) -> np.ndarray:
    try:
        return np.asarray(values, kind)
    except ValueError:
        raise XcosError(f"{name} has rows of different shapes; give one array") from None


def _size(array: np.ndarray) -> int:
    return sum(map(len, array)) if array.dtype == object else array.nbytes
