"""Where a server is, by which of its two protocols it is spoken to, and by what certificates."""

import ipaddress
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from xcos_tf.errors import XcosError, explained
from xcos_tf.files import read_bytes

GRPC_PORT = 8500
SCHEMES = {"grpc": False, "grpcs": True, "http": False, "https": True}


@dataclass(frozen=True)
class ServerAddress:
    """A server's address."""

    rest: bool  # whether it is spoken to by REST rather than gRPC
    secure: bool  # whether by TLS
    target: str  # HOST:PORT for gRPC, the URL before /v1 for REST

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
            if host and not re.fullmatch(r"[\w-]+(\.[\w-]+)*\.?", host):
                ipaddress.ip_address(host)  # of version 6; gRPC prints what else it cannot read
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


@dataclass(frozen=True)
class Certificates:
    """Files in PEM format.

    Attributes:
        root: the authorities to trust instead of the usual public ones; None for those.
        client: the client's own certificate chain with its private key in the same file, for a
            server that asks for one; None for none.
    """

    root: Path | None = None
    client: Path | None = None

    @classmethod
    def of(
        cls, root: str | os.PathLike | None, client: str | os.PathLike | None, secure: bool
    ) -> "Certificates":
        """Check the files before anything is sent; `secure` tells if the connection is encrypted.

        Raises:
            XcosError: there are certificates for a connection without TLS, or a file cannot be
                read or lacks what it is for.
        """
        if not secure and (root or client):
            raise XcosError(
                "certificates are for an encrypted connection; give the server as "
                "grpcs://HOST:PORT or https://HOST:PORT, or leave the certificates out"
            )
        return cls(
            _checked(root, "root certificate", b"CERTIFICATE-----"),
            _checked(client, "client certificate", b"CERTIFICATE-----", b"PRIVATE KEY-----"),
        )


def _checked(path: str | os.PathLike | None, purpose: str, *needed: bytes) -> Path | None:
    if not path:
        return None
    name = f"the {purpose} {os.fspath(path)}"
    with explained(f"{name} cannot be read", "check the path"):
        content = read_bytes(path)
    for mark in needed:
        if mark not in content:
            block = mark.rstrip(b"-").decode()
            raise XcosError(f"{name} holds no PEM block {block!r}; give a PEM file that does")
    return Path(path)
