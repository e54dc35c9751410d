"""What results follow from, the code too, so that nothing that was kept outlives a change of it."""

import hashlib
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np

from xcos_tf.evaluation.score_cache import ScoreCache

ROOT = Path(__file__).resolve().parents[1]


class Key(dict):
    """All that arrays follow from, by name, for a `ScoreCache`."""

    def as_json(self) -> str:
        """Return one line of JSON, the same for the same content."""
        return json.dumps(self, sort_keys=True)


def kept(cache: ScoreCache, key: Key, make: Callable[[], dict[str, np.ndarray]]):
    """Return what is kept, or make {name: array of one dimension or more}, and keep it whole.

    Raises:
        XcosError: the folder cannot be written.
    """
    found = cache.load(key)
    if found is None:
        found = make()
        cache.save(key, found)
    return found


def sha256_of(*parts: bytes | np.ndarray | str) -> str:
    """Return the SHA-256 of all parts and where they end, hexadecimal."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else bytes(part)
        digest.update(f"{len(content)}\n".encode() + content)
    return digest.hexdigest()


def code_version(*packages: str) -> str:
    """Return the SHA-256 of all source of packages and modules, by their dotted names."""
    roots = [ROOT.joinpath(*name.split(".")) for name in packages]
    files = [file for root in roots for file in (root.with_suffix(".py"), *root.rglob("*.py"))]
    return sha256_of(*(file.read_bytes() for file in sorted(files) if file.is_file()))
