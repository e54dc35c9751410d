"""What can go wrong between a client and a server, each in one sentence."""

from dataclasses import dataclass

from xcos_tf.errors import XcosError


class ServerUnavailable(XcosError):
    """The server cannot be reached, or cannot answer now; the one fault that is tried again."""


class DeadlineExceeded(XcosError):
    """The server did not answer in the time that the call had."""


@dataclass(frozen=True)
class Question:
    """What is asked of which server, for its faults to name.

    Attributes:
        server: its address.
        model: the model's name.
        seconds: what the whole call may take.
        version: a version's number, a version's label, or None for the newest.
        signature: what the model is to compute; None if only its status is asked.
    """

    server: str
    model: str
    seconds: float
    version: int | str | None = None
    signature: str | None = None

    @property
    def subject(self) -> str:
        """The model and version in words."""
        model = f"the model {self.model!r}"
        if self.version is None:
            return model
        kind = "version" if isinstance(self.version, int) else "version label"
        return f"the {kind} {self.version!r} of {model}"


def deadline_exceeded(question: Question) -> DeadlineExceeded:
    """Return the fault of a call whose time is up."""
    return DeadlineExceeded(
        f"the server at {question.server} did not answer within {question.seconds:g} s; check "
        "that it runs there, give the call a longer timeout, or send fewer faces at a time"
    )


def unreachable(question: Question, reason: str) -> ServerUnavailable:
    """Return the fault of a server that could not be reached."""
    return ServerUnavailable(
        f"the server at {question.server} cannot be reached ({_said(reason)}); check the "
        "address and that the server runs"
    )


def tls_failed(question: Question, reason: str) -> XcosError:
    """Return the fault of a handshake that failed."""
    return XcosError(
        f"no encrypted connection to {question.server} ({_said(reason)}); check that the "
        "server speaks TLS there, its name, and the root and client certificates"
    )


def wrong_protocol(question: Question, reason: str) -> XcosError:
    """Return the fault of a server that speaks something else."""
    return XcosError(
        f"what answers at {question.server} is not TF Serving's API ({_said(reason)}); its "
        "gRPC is at HOST:8500 and its REST at http://HOST:8501 unless configured otherwise"
    )


def check_size(question: Question, size: int, limit: int, count: int) -> None:
    """Fail before anything is sent, if it is over the limit.

    Args:
        question: what is asked.
        size, limit: of the request, in bytes.
        count: how many pairs or faces it is about.

    Raises:
        XcosError: it is.
    """
    if size > limit:
        most = limit * count // size
        advice = f"send at most about {most} at a time" if most else "raise max_message_bytes"
        raise XcosError(
            f"a request with {count} for {question.signature!r} takes {size:,} bytes and a message "
            f"may take {limit:,}; {advice}"
        )


def over_limit(question: Question, reason: str) -> XcosError:
    """Return the fault of a message that one of the two sides found too large."""
    return XcosError(
        f"a message between this client and {question.server} is too large ({reason}); send fewer "
        "at a time, or raise the limit of the side that refuses it"
    )


def status_fault(question: Question, code: str, message: str) -> XcosError:
    """Return the fault that a status of the server means.

    Args:
        question: what was asked.
        code: name of the gRPC status code; REST's codes are mapped to it.
        message: the server's own.
    """
    message = str(message)  # JSON has others
    server, said = question.server, _said(message)
    if code == "NOT_FOUND":
        return XcosError(
            f"the server at {server} does not serve {question.subject} ({said}); check the name "
            "and version against its models.config, and that it has finished loading"
        )
    if "servable version label" in message:
        return XcosError(
            f"the server at {server} does not know {question.subject} ({said}); check the name "
            "and the labels in its models.config"
        )
    if "Serving signature" in message:
        return XcosError(
            f"the model {question.model!r} at {server} has no signature {question.signature!r} "
            f"({said}); serve one that `xcos export` wrote"
        )
    if code == "UNAVAILABLE":
        return ServerUnavailable(
            f"the server at {server} cannot answer now ({said}); try again later"
        )
    if code in ("INVALID_ARGUMENT", "FAILED_PRECONDITION", "OUT_OF_RANGE"):
        return XcosError(
            f"the server at {server} refuses the input of {question.signature!r} ({said}); check "
            "that it fits the model that is served"
        )
    if code in ("UNAUTHENTICATED", "PERMISSION_DENIED"):
        return XcosError(
            f"the server at {server} denies access ({said}); check the client certificate"
        )
    if code == "UNIMPLEMENTED":
        return wrong_protocol(question, message)
    return XcosError(f"the server at {server} failed ({code}: {said}); look into its log")


def _said(message: str, most: int = 300) -> str:
    """Return a message of the server or a library on one line, cut if it is long."""
    line = " ".join(str(message).split())
    return line if len(line) <= most else line[: most - 1] + "…"
