"""What results follow from, the code too, so that nothing that was kept outlives a change of it."""

import ast
import hashlib
from pathlib import Path

import numpy as np

ROOT = Path(__file__).resolve().parents[2]


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


def _imported(source: bytes) -> set[str]:
    """Return the dotted names of what a module may import, anywhere in it."""
    nodes = list(ast.walk(ast.parse(source)))
    froms = [node for node in nodes if isinstance(node, ast.ImportFrom)]
    names = {f"{node.module}.{alias.name}" for node in froms for alias in node.names}
    names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    return names | {str(node.module) for node in froms}
