"""What can go wrong between a client and a server, each in one sentence."""

import re
from dataclasses import dataclass

from xcos_tf.errors import QUOTED, XcosError, shortened

_PLACE_IN_GRAPH = re.compile(r"^assertion failed: |\s*\[\[\{\{.*")  # TensorFlow adds it
_MOST = dict.fromkeys(("UNREACHABLE", "NO_TLS"), 300)  # characters of a library's own words


class ServerUnavailable(XcosError):
    """The server cannot be reached or is busy; only after this is a call tried again."""


class DeadlineExceeded(XcosError):
    """The server did not answer in the time that the call had."""


@dataclass(frozen=True)
class Call:
    """What is asked of which server, for its errors to name."""

    server: str  # its address
    model: str
    seconds: float  # that the whole call may take
    version: int | str | None = None  # number or label; None for the newest
    signature: str | None = None  # what the model computes; None for its status

    @property
    def subject(self) -> str:
        """The model and version in words."""
        model = f"the model {self.model!r}"
        if self.version is None:
            return model
        kind = "version" if isinstance(self.version, int) else "version label"
        return f"the {kind} {self.version!r} of {model}"

    def error(self, code: str, message: object = "") -> XcosError:
        """Return what a status of the server, or an error of the connection, means.

        The code is of `_SENTENCES`, or any other of gRPC's, to which REST's are mapped; the message
        is the server's or a library's, and loses its middle if it is long.
        """
        said = _PLACE_IN_GRAPH.sub("", " ".join(str(message).split()))
        if code != "NOT_FOUND" and "servable version label" in said:
            code = "NO_LABEL"
        elif code != "NOT_FOUND" and "Serving signature" in said:
            code = "NO_SIGNATURE"
        sentence = _SENTENCES.get(code, _FAILED)
        said = shortened(said, _MOST.get(code, QUOTED))
        about = {**vars(self), "subject": self.subject, "code": code, "said": said}
        return _KINDS.get(code, XcosError)(sentence.format(**about))


_REFUSED = (
    "the server at {server} refuses the input of {signature!r} ({said}); check that it fits the "
    "model that is served"
)
_DENIED = "the server at {server} denies access ({said}); check the client certificate"
_FAILED = "the server at {server} failed ({code}: {said}); look into its log"
# By gRPC's status codes, and by names of ours for what it has none for.
_SENTENCES = {
    "UNREACHABLE": "the server at {server} cannot be reached ({said}); check the address and that "
    "the server runs",
    "NO_TLS": "no encrypted connection to {server} ({said}); check that the server speaks TLS "
    "there, its name, and the root and client certificates",
    "TOO_LARGE": "a message between this client and {server} is too large ({said}); send fewer at "
    "a time, or raise the limit of the side that refuses it",
    "NO_LABEL": "the server at {server} does not know {subject} ({said}); check the name and "
    "the labels in its models.config",
    "NO_SIGNATURE": "the model {model!r} at {server} has no signature {signature!r} ({said}); "
    "serve one that `xcos export` wrote",
    "NOT_FOUND": "the server at {server} does not serve {subject} ({said}); check the name and "
    "version against its models.config, and that it has finished loading",
    "DEADLINE_EXCEEDED": "the server at {server} did not answer within {seconds:g} s; check that "
    "it runs there, give the call a longer timeout, or send fewer faces at a time",
    "UNAVAILABLE": "the server at {server} cannot answer now ({said}); try again later",
    "UNIMPLEMENTED": "what answers at {server} is not TF Serving's API ({said}); its gRPC is at "
    "HOST:8500 and its REST at http://HOST:8501 unless configured otherwise",
    **dict.fromkeys(("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"), _REFUSED),
    **dict.fromkeys(("UNAUTHENTICATED", "PERMISSION_DENIED"), _DENIED),
}
_KINDS = {
    "UNREACHABLE": ServerUnavailable,
    "UNAVAILABLE": ServerUnavailable,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
}


def check_size(call: Call, size: int, limit: int, count: int) -> None:
    """Raise XcosError, before anything is sent, if a request is larger than the limit, in bytes.

    `count` is how many pairs or faces it is about.
    """
    if size > limit:
        most = limit * count // size
        advice = f"send at most about {most} at a time" if most else "raise max_message_bytes"
        raise XcosError(
            f"a request with {count} for {call.signature!r} takes {size:,} bytes and a message "
            f"may take {limit:,}; {advice}"
        )
