"""A stand-in server in the tests' own process, with troubles to order."""

import threading
from collections.abc import Callable

from tests.serving.grpc_service import start_grpc
from tests.serving.rest_service import start_rest
from tests.serving.servables import Fault, Servables


class StandIn:
    """A server of one of the two protocols, on localhost; use it in `with`.

    Attributes:
        calls: how many calls have begun.
        troubles: functions that the next calls start with, one each; they may wait or raise.
    """

    def __init__(self, servables: Servables, kind: str, port: int = 0, tls=None, **options):
        """Start it: `kind` is "grpc" or "rest", `tls` what that kind takes for encryption."""
        self.kind, self.secure = kind, bool(tls)
        self.calls, self.troubles = 0, []
        self._lock = threading.Lock()
        start = start_grpc if kind == "grpc" else start_rest
        self._server, self.port = start(servables, self._before, port, tls, **options)

    @property
    def address(self) -> str:
        """What a client is given."""
        if self.kind == "grpc":
            return f"{'grpcs://' if self.secure else ''}localhost:{self.port}"
        return f"http{'s' if self.secure else ''}://localhost:{self.port}"

    def _before(self) -> None:
        with self._lock:
            self.calls += 1
            trouble = self.troubles.pop(0) if self.troubles else None
        if trouble:
            trouble()

    def stop(self) -> None:
        """Stop at once, whatever is in flight."""
        if self.kind == "grpc":
            self._server.stop(None).wait()
        else:
            self._server.shutdown()
            self._server.server_close()

    def __enter__(self) -> "StandIn":
        return self

    def __exit__(self, *_) -> None:
        self.stop()


def fails(code: str, message: str = "something") -> Callable[[], None]:
    """Return a trouble that ends the call with a status."""

    def trouble() -> None:
        raise Fault(code, message)

    return trouble
