"""Tries that were counted, kept in a folder, so that a measurement that was stopped goes on."""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from tools.code_version import code_version
from tools.paper.rows import read_rows, write_rows
from tools.unlock.rows import Trials
from xcos_tf.errors import XcosError
from xcos_tf.mobile.frames import Frame
from xcos_tf.mobile.lite_verifier import LiteVerifier

_CODE = ("tools.unlock.trials",)
_WITHIN = ("tools.unlock", "xcos_tf.mobile", "xcos_tf.evaluation")


class KeptTrials:
    """By the faces, the models, the rules, and the code that counts."""

    def __init__(self, folder: Path, people: Mapping[str, Sequence[Frame]]):
        """Keep them in a folder, which is made if it is not there."""
        self._folder = folder
        self._about = [_digest(people), code_version(_CODE, _WITHIN)]

    def trials(
        self, set_name: str, verifier: LiteVerifier, rules: Sequence[str], make: Callable
    ) -> list[Trials]:
        """Return what is kept, or what `make` returns, which is kept whole or not at all.

        Args:
            set_name, verifier, rules: as by `measure`.
            make: counts the tries.

        Raises:
            XcosError: the folder cannot be written, or holds something else.
        """
        about = [set_name, verifier.identity, *rules, *self._about]
        key = hashlib.sha256(json.dumps(about).encode()).hexdigest()[:16]
        path = self._folder / f"{verifier.metadata['variant']}-{key}.csv"
        if path.is_file():
            return read_rows(path, Trials, "measure_unlock")
        rows = make()
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            write_rows(path, Trials, rows)
        except OSError as error:
            raise XcosError(f"cannot write {path} ({error.strerror or error})") from None
        return rows


def _digest(people: Mapping[str, Sequence[Frame]]) -> str:
    digest = hashlib.sha256()
    for name, frames in people.items():
        digest.update(f"{len(frames)} {name}\n".encode("utf-8", "surrogateescape"))
        for frame in frames:
            digest.update(frame.face.tobytes())
    return digest.hexdigest()
