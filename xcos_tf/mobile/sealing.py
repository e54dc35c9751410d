"""Encrypted files: a key from a passphrase, and content that is whole or refused."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from xcos_tf.errors import extra
from xcos_tf.files import replace_file

STORE_MAGIC = b"XCOSUNLOCK"
VERSION = 2
SALT_BYTES = 16
NONCE_BYTES = 12
MODE = 0o600

# 32 MB and about a fifth of a second: OWASP, "Password Storage Cheat Sheet", scrypt.
_SCRYPT = {"n": 2**15, "r": 8, "p": 3}


class Key(NamedTuple):
    """A key of 256 bits, and the salt by which it follows from the passphrase."""

    secret: bytes
    salt: bytes


def derive_key(passphrase: str, salt: bytes | None = None) -> Key:
    """Return the key of a passphrase by scrypt (RFC 7914), with a fresh salt if none is given.

    Raises:
        XcosError: the package cryptography is missing.
    """
    with extra("mobile", "the store"):
        from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    salt = os.urandom(SALT_BYTES) if salt is None else salt
    # What the environment holds need not be UTF-8; Python gives its other bytes as surrogates.
    words = passphrase.encode("utf-8", "surrogateescape")
    secret = Scrypt(salt=salt, length=32, **_SCRYPT).derive(words)
    return Key(secret, salt)


def salt_of(sealed: bytes) -> bytes:
    """Return the salt that a sealed file states; zeros complete one that is cut short."""
    start = len(STORE_MAGIC) + 1
    return sealed[start : start + SALT_BYTES].ljust(SALT_BYTES, b"\0")


def seal(key: Key, kind: bytes, content: bytes) -> bytes:
    """Encrypt and authenticate by AES-256-GCM (NIST SP 800-38D).

    The file is STORE_MAGIC, the version in one byte, the salt, the nonce, and the encrypted content
    with its tag. All of it is authenticated. A content of one `kind`, such as b"owner", cannot
    stand for that of another.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    header = STORE_MAGIC + bytes([VERSION]) + key.salt
    nonce = os.urandom(NONCE_BYTES)
    return header + nonce + AESGCM(key.secret).encrypt(nonce, content, header + kind)


def unseal(key: Key, kind: bytes, sealed: bytes) -> bytes | None:
    """Return what `seal` was given; None if anything at all is not as it was then."""
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    header = STORE_MAGIC + bytes([VERSION]) + key.salt
    body = sealed[len(header) + NONCE_BYTES :]
    nonce = sealed[len(header) : len(header) + NONCE_BYTES]
    if not sealed.startswith(header) or not body:
        return None
    try:
        return AESGCM(key.secret).decrypt(nonce, body, header + kind)
    except InvalidTag:
        return None


@contextlib.contextmanager
def private_files() -> Iterator[None]:
    """Make files and folders that their owner alone may use, whatever the process's umask is."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def write_private(path: Path, content: bytes) -> None:
    """Write a file that its owner alone may read, whole or not at all.

    Raises:
        OSError: it cannot be written.
    """
    replace_file(path, lambda stream: stream.write(content), MODE)
