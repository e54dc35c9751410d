"""Scores kept in files by what they were computed from, so that work that stopped goes on.

The code is part of that, so that nothing that was kept outlives a change of it.
"""

import ast
import functools
import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from xcos_tf.errors import explained
from xcos_tf.files import replace_file

Arrays = dict[str, np.ndarray]

ROOT = Path(__file__).resolve().parents[2]


class ScoreCache:
    """A folder of safetensors files, each whole or not there.

    Each holds {name: array of one dimension or more}, and goes by a key: all that these follow
    from, by name, as JSON knows it.
    """

    def __init__(self, folder: str | os.PathLike):
        """Use a folder, which is made if it is missing; raises XcosError if it cannot be."""
        self.folder = Path(folder)
        with self._writing():
            self.folder.mkdir(parents=True, exist_ok=True)

    def load(self, key: dict) -> Arrays | None:
        """Return what is kept, or None if it is not there or its file is damaged."""
        wanted = _one_line(key)
        try:
            with safe_open(self._path(wanted), framework="numpy") as file:
                metadata = file.metadata() or {}
                if metadata.get("scoring") != wanted:
                    return None
                return {name: file.get_tensor(name) for name in json.loads(metadata["scores"])}
        except (OSError, SafetensorError, KeyError, TypeError, ValueError, RecursionError):
            return None

    def save(self, key: dict, scores: Arrays) -> None:
        """Keep arrays, in this order; raises XcosError if the folder cannot be written."""
        wanted = _one_line(key)
        metadata = {"scoring": wanted, "scores": json.dumps(list(scores))}
        content = save({name: np.ascontiguousarray(x) for name, x in scores.items()}, metadata)
        with self._writing():
            replace_file(self._path(wanted), lambda stream: stream.write(content))

    def kept(self, key: dict, make: Callable[[], Arrays]) -> Arrays:
        """Return what is kept, or make and keep it; raises XcosError as `save` does."""
        found = self.load(key)
        if found is None:
            found = make()
            self.save(key, found)
        return found

    def _path(self, wanted: str) -> Path:
        return self.folder / f"{hashlib.sha256(wanted.encode()).hexdigest()}.safetensors"

    def _writing(self):
        return explained(f"scores cannot be kept in {self.folder}", "choose another folder")


def _one_line(key: dict) -> str:
    return json.dumps(key, sort_keys=True)


def sha256_of(*parts: bytes | np.ndarray | str) -> str:
    """Return the SHA-256 of all parts and where they end, hexadecimal."""
    digest = hashlib.sha256()
    for part in parts:
        content = part.encode("utf-8", "surrogateescape") if isinstance(part, str) else bytes(part)
        digest.update(f"{len(content)}\n".encode() + content)
    return digest.hexdigest()


def code_version(*names: str) -> str:
    """Return the SHA-256 of the source of packages and modules, by their dotted names.

    The modules of their own room, such as `xcos_tf.explain`, that they import count too.
    """
    roots = [ROOT.joinpath(*name.split(".")) for name in names]
    todo = {file for root in roots for file in (root.with_suffix(".py"), *root.rglob("*.py"))}
    sources = {}
    while todo:
        file = todo.pop()
        if file.is_file() and file not in sources:
            sources[file] = file.read_bytes()
            room = file.relative_to(ROOT).with_suffix("").parts[:2]
            modules = [tuple(name.split(".")) for name in _imported(sources[file])]
            todo |= {ROOT.joinpath(*x).with_suffix(".py") for x in modules if x[:2] == room}
    return sha256_of(*(sources[file] for file in sorted(sources)))


@functools.cache
def _imported(source: bytes) -> set[str]:
    """Return the dotted names of what a module may import, anywhere in it."""
    nodes = list(ast.walk(ast.parse(source)))
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    names = {f"{node.module}.{alias.name}" for node in froms for alias in node.names}
    names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {str(node.module) for node in froms}
