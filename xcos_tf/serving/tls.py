"""The certificates of an encrypted connection."""

import os
from dataclasses import dataclass
from pathlib import Path

from xcos_tf.errors import XcosError


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
        cls,
        root: str | os.PathLike | None,
        client: str | os.PathLike | None,
        secure: bool,
    ) -> "Certificates":
        """Check the files before anything is sent.

        Args:
            root, client: as the attributes.
            secure: whether the connection is encrypted at all.

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
    try:
        content = Path(path).read_bytes()
    except OSError as error:
        raise XcosError(
            f"the {purpose} {os.fspath(path)} cannot be read ({error.strerror}); check the path"
        ) from None
    for mark in needed:
        if mark not in content:
            block = mark.rstrip(b"-").decode()
            raise XcosError(
                f"the {purpose} {os.fspath(path)} holds no PEM block {block!r}; give a PEM file "
                "that does"
            )
    return Path(path)
