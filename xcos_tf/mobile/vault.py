"""The two files of an owner: the store, and the record of attempts beside it."""

import contextlib
import fcntl
import json
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from xcos_tf.errors import XcosError, explained
from xcos_tf.files import check_can_write, parse_json, read_file
from xcos_tf.mobile.attempts import Attempts, Moment
from xcos_tf.mobile.owner import Owner
from xcos_tf.mobile.sealing import Key, derive_key, salt_of, seal, unseal, write_private

LOCK_PATIENCE = 10.0
"""Seconds to wait for another process; whoever can read the folder could hold the lock for ever."""

_LARGEST = 2**24
_OWNER, _ATTEMPTS = b"owner", b"attempts"


class Vault:
    """An opened store: who is enrolled as its `owner`, and the record of `attempts`."""

    def __init__(self, path: Path, key: Key, owner: Owner, attempts: Attempts):
        """Take what was opened; see `create_vault` and `open_vault`."""
        self._path, self._key, self.owner, self.attempts = path, key, owner, attempts

    def record(self, attempts: Attempts) -> None:
        """Write a new record of attempts, and its number into the store.

        The record comes first: if the power fails in between, it counts.

        Raises:
            XcosError: a file cannot be written.
        """
        owner = replace(self.owner, attempts=attempts.number)
        record = {"token": owner.token, "number": attempts.number, "failures": attempts.failures}
        text = json.dumps(record | vars(attempts.last)).encode("ascii")
        advice = "change the permissions of its folder"
        with explained(f"{self._path} cannot be written", advice):
            write_private(attempts_path(self._path), seal(self._key, _ATTEMPTS, text))
            write_private(self._path, seal(self._key, _OWNER, owner.as_bytes()))
        self.owner, self.attempts = owner, attempts


def attempts_path(store: Path) -> Path:
    """Return where the record of attempts of a store is."""
    return store.with_name(f"{store.name}.attempts")


def check_new(path: Path) -> None:
    """Fail before the work if a store could not be made here.

    Raises:
        XcosError: there is one, or its folder is not there or cannot be written.
    """
    if os.path.lexists(path):
        raise XcosError(f"{path} exists; delete it to enroll again, or choose another file")
    if not path.absolute().parent.is_dir():
        raise XcosError(f"there is no folder {path.parent}; make it first")
    check_can_write(path, within=path.absolute().parent)


def create_vault(path: Path, passphrase: str, owner: Owner) -> None:
    """Write the files of a new owner.

    Raises:
        XcosError: as by `check_new`.
    """
    with locked(path):
        check_new(path)
        vault = Vault(path, derive_key(passphrase), owner, None)
        vault.record(Attempts(number=1, failures=0, last=Moment.now()))


def open_vault(path: Path, passphrase: str) -> Vault:
    """Open the files of an owner; hold `locked` from before this until after `Vault.record`.

    Raises:
        XcosError: there is no store, the passphrase is wrong, or one of the files is not what was
            written last. Which byte is wrong makes no difference.
    """
    sealed = _read(path)
    if sealed is None:
        raise XcosError(f"there is no store {path}; enroll first")
    key = derive_key(passphrase, salt_of(sealed))
    content = unseal(key, _OWNER, sealed)
    if content is None:
        raise XcosError(
            f"{path} cannot be opened: the passphrase is wrong, or the file is damaged or not a "
            "store of this version; nothing was unlocked"
        )
    advice = "nothing was unlocked: delete it and enroll again"
    with explained(f"{path} was not written by this version", advice, (ValueError,)):
        owner = Owner.from_bytes(content)
    attempts = _attempts(unseal(key, _ATTEMPTS, _read(attempts_path(path)) or b""), owner)
    if attempts is None:
        raise XcosError(
            f"the record of attempts {attempts_path(path)} is missing, damaged or not the one that "
            f"was written last; nothing was unlocked: delete {path} and enroll again"
        )
    return Vault(path, key, owner, attempts)


def _attempts(content: bytes | None, owner: Owner) -> Attempts | None:
    """Return the record that belongs to an owner; None if it does not, or is something else."""
    try:
        record = parse_json(content or b"", "the record")
        names = "number", "failures", "wall", "running", "token"
        number, failures, wall, running, token = (record[name] for name in names)
    except (XcosError, KeyError, TypeError):
        return None
    # It is one ahead if the power failed between writing the two.
    in_step = number in (owner.attempts, owner.attempts + 1) and token == owner.token
    are_numbers = type(failures) is int and {type(wall), type(running)} <= {int, float}
    if not in_step or not are_numbers or failures < 0:
        return None
    return Attempts(int(number), failures, Moment(wall, running))


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Let one process at a time use the stores of a folder, so that no try goes uncounted.

    Raises:
        XcosError: there is no such folder, it may not be read, or another process does not let go
            of it.
    """
    with explained(f"the folder of {path} cannot be used", "check the path"):
        folder = os.open(path.absolute().parent, os.O_RDONLY)
    end = time.monotonic() + LOCK_PATIENCE
    try:
        with explained(f"the folder of {path} cannot be locked", "move the store to a local disk"):
            while True:
                try:
                    fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() >= end:
                        raise XcosError(
                            f"another process has held the folder of {path} for {LOCK_PATIENCE:.0f}"
                            " seconds; end it, or move the store to a folder that only you can read"
                        ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(folder)


def _read(path: Path) -> bytes | None:
    if not os.path.lexists(path):
        return None
    return read_file(path, _LARGEST, "the file", "nothing was unlocked")
