"""The passphrase of a store: from a file, the environment or a prompt, never the command line."""

import getpass
import os
import sys

from xcos_tf.errors import XcosError, reason_of
from xcos_tf.files import read_pipe

VARIABLE = "XCOS_PASSPHRASE"
SHORTEST = 8
LONGEST = 1024
PATIENCE = 30.0
"""Seconds in which a passphrase must come out of a pipe."""


def read_passphrase(file: str | None, new: bool) -> str:
    """Return the passphrase: the first line of a file, $XCOS_PASSPHRASE, or what is typed.

    A `new` one must be long enough and typed twice.

    Raises:
        XcosError: the file cannot be read, there is no terminal to ask at, or it is empty, too
            short or typed differently.
    """
    if file is not None:
        try:
            line = read_pipe(file, 4 * LONGEST + 8, PATIENCE, line=True)
            passphrase = line.decode("utf-8-sig").rstrip("\r")
        except (OSError, ValueError) as error:
            reason = reason_of(error) if isinstance(error, OSError) else "it is not text"
            raise XcosError(
                f"the passphrase file {file} cannot be read ({reason}); give one with the "
                "passphrase in its first line"
            ) from None
    elif VARIABLE in os.environ:
        passphrase = os.environ[VARIABLE]
    else:
        passphrase = _ask(new)
    if not passphrase:
        raise XcosError("the passphrase is empty; give the one of the store")
    if len(passphrase) > LONGEST:
        raise XcosError(f"the passphrase is too long; give one of at most {LONGEST} letters")
    if new and len(passphrase) < SHORTEST:
        raise XcosError(f"the passphrase is too short; choose one of at least {SHORTEST} letters")
    return passphrase


def _ask(new: bool) -> str:
    if not sys.stdin.isatty():
        raise XcosError(
            "there is no terminal to ask for the passphrase at; give --passphrase-file or set "
            f"{VARIABLE}"
        )
    try:
        passphrase = getpass.getpass("passphrase: ")
        again = getpass.getpass("again: ") if new else passphrase
    except (EOFError, UnicodeDecodeError):
        raise XcosError("no passphrase was typed; try again") from None
    if again != passphrase:
        raise XcosError("the two passphrases differ; try again")
    return passphrase
