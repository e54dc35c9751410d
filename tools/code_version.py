"""What code a result follows from, so that nothing that was kept outlives a change of it."""

import ast
import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

WITHIN = ("xcos_tf.explain",)


def code_version(modules: Sequence[str], within: Sequence[str] = WITHIN) -> str:
    """Return the SHA-256 of modules' source and of what they import, hexadecimal.

    Args:
        modules: dotted names.
        within: packages whose modules are followed; what else is imported does not count. Of
            weights and the structure of networks, caches know by themselves.
    """
    digest, waiting, seen = hashlib.sha256(), sorted(modules), set()
    while waiting:
        name = waiting.pop(0)
        if name in seen:
            continue
        seen.add(name)
        source = Path(find_spec(name).origin).read_bytes()
        digest.update(f"{name}\n{len(source)}\n".encode() + source)
        waiting += sorted(x for x in _imported(ast.parse(source)) if _is_within(x, within))
    return digest.hexdigest()


def _imported(tree: ast.AST) -> set[str]:
    """Return the names of modules that are imported, and of what could be modules."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def _is_within(name: str, within: Sequence[str]) -> bool:
    """Return whether this is a module, rather than a thing in one, of one of the packages."""
    if not any(name.startswith(f"{package}.") for package in within):
        return False
    try:
        return find_spec(name) is not None
    except ModuleNotFoundError:  # what it would be in is a module, not a package
        return False
