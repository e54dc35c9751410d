"""Where a server is, and which of TF Serving's two protocols it is spoken to by."""

from dataclasses import dataclass
from urllib.parse import urlsplit

from xcos_tf.errors import XcosError

GRPC_PORT = 8500
SCHEMES = {"grpc": False, "grpcs": True, "http": False, "https": True}


@dataclass(frozen=True)
class ServerAddress:
    """A server's address.

    Attributes:
        rest: whether it is spoken to by REST rather than gRPC.
        secure: whether by TLS.
        target: HOST:PORT for gRPC, the URL before /v1 for REST.
    """

    rest: bool
    secure: bool
    target: str

    @classmethod
    def parse(cls, text: str) -> "ServerAddress":
        """Read HOST[:PORT], grpc[s]://HOST[:PORT] or http[s]://HOST[:PORT][/PREFIX].

        Raises:
            XcosError: it is none of these.
        """
        try:
            text.encode()
            parts = urlsplit(text if "://" in text else f"grpc://{text}")
            host, port = parts.hostname, parts.port
        except ValueError:
            raise _refusal(text) from None
        rest = parts.scheme.startswith("http")
        odd = parts.query or parts.fragment or "@" in parts.netloc or any(map(str.isspace, text))
        if not host or parts.scheme not in SCHEMES or odd or (parts.path.strip("/") and not rest):
            raise _refusal(text)
        if rest:
            target = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"
        else:
            bracketed = f"[{host}]" if ":" in host else host
            target = f"{bracketed}:{port or GRPC_PORT}"
        return cls(rest, SCHEMES[parts.scheme], target)

    def __str__(self) -> str:
        return self.target


def _refusal(text: str) -> XcosError:
    return XcosError(
        f"{text!r} is no server's address; give HOST or HOST:PORT for gRPC, grpcs://HOST:PORT for "
        "gRPC over TLS, or a URL such as http://HOST:8501 for REST"
    )
