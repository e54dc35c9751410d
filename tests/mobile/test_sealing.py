"""What was sealed comes back whole or not at all."""

import hashlib
import os
import stat

import pytest

from xcos_tf.mobile.sealing import (
    NONCE_BYTES,
    SALT_BYTES,
    STORE_MAGIC,
    VERSION,
    Key,
    derive_key,
    salt_of,
    seal,
    unseal,
    write_private,
)

KEY = Key(secret=bytes(range(32)), salt=b"s" * SALT_BYTES)
CONTENT = b"what nobody may read"


def test_there_and_back():
    sealed = seal(KEY, b"owner", CONTENT)
    assert unseal(KEY, b"owner", sealed) == CONTENT
    assert CONTENT not in sealed
    assert salt_of(sealed) == KEY.salt
    assert sealed.startswith(STORE_MAGIC + bytes([VERSION]) + KEY.salt)


def test_every_flipped_bit_is_refused():
    sealed = seal(KEY, b"owner", CONTENT)
    for place in range(len(sealed)):
        for bit in range(8):
            changed = bytearray(sealed)
            changed[place] ^= 1 << bit
            assert unseal(KEY, b"owner", bytes(changed)) is None, (place, bit)


def test_every_length_but_the_right_one_is_refused():
    sealed = seal(KEY, b"owner", CONTENT)
    for length in range(len(sealed)):
        assert unseal(KEY, b"owner", sealed[:length]) is None, length
    assert unseal(KEY, b"owner", sealed + b"\0") is None


def test_salt_is_authenticated():
    """The header of another file with the same key cannot be put before this content."""
    other = Key(KEY.secret, b"t" * SALT_BYTES)
    start = len(STORE_MAGIC) + 1 + SALT_BYTES
    mixed = seal(other, b"owner", CONTENT)[:start] + seal(KEY, b"owner", CONTENT)[start:]
    assert unseal(other, b"owner", mixed) is None


def test_one_kind_does_not_stand_for_another():
    assert unseal(KEY, b"attempts", seal(KEY, b"owner", CONTENT)) is None


def test_nonces_are_fresh():
    start = len(STORE_MAGIC) + 1 + SALT_BYTES
    nonces = {seal(KEY, b"owner", CONTENT)[start : start + NONCE_BYTES] for _ in range(20)}
    assert len(nonces) == 20


@pytest.mark.parametrize("words", ["pässword".encode(), b"p\xe4ssword"])
def test_key_is_scrypt_of_the_passphrase(words):
    """By the standard library's own scrypt, with the parameters that OWASP recommends."""
    key = derive_key(os.fsdecode(words), b"0123456789abcdef")
    expected = hashlib.scrypt(words, salt=key.salt, n=2**15, r=8, p=3, maxmem=2**26, dklen=32)
    assert key == (expected, b"0123456789abcdef")


def test_salts_are_fresh():
    first, second = (derive_key("password") for _ in range(2))
    assert len(first.salt) == SALT_BYTES
    assert first.salt != second.salt and first.secret != second.secret


@pytest.mark.parametrize("length", [0, 5, len(STORE_MAGIC) + 4])
def test_salt_of_a_file_cut_short(length):
    assert len(salt_of(seal(KEY, b"owner", CONTENT)[:length])) == SALT_BYTES


def test_private_file_is_private_even_where_there_was_a_public_one(tmp_path):
    path = tmp_path / "store"
    path.write_bytes(b"old")
    path.chmod(0o666)
    write_private(path, CONTENT)
    assert path.read_bytes() == CONTENT
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [file.name for file in tmp_path.iterdir()] == ["store"]
